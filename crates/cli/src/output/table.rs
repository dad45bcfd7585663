//! Tables for people: columns that are aligned, and one thing's fields below each other.

use serde_json::Value;

use super::{Column, text};

const GAP: &str = "  ";

/// A header and a row for each item. Columns of numbers stand to the right.
pub(crate) fn rows(columns: &[Column], items: &[Value]) -> String {
    let cells: Vec<Vec<String>> =
        items.iter().map(|item| columns.iter().map(|column| cell(column, item)).collect()).collect();
    let heading = |column: &Column| column.heading.to_owned();
    let mut lines = vec![columns.iter().map(heading).collect::<Vec<_>>()];
    lines.extend(cells);
    let widths: Vec<usize> =
        (0..columns.len()).map(|at| lines.iter().map(|line| width(&line[at])).max().unwrap_or(0)).collect();
    let right: Vec<bool> =
        columns.iter().map(|column| items.iter().any(|item| item[column.field].is_number())).collect();
    lines.iter().map(|line| aligned(line, &widths, &right)).collect()
}

/// A line for each field.
pub(crate) fn fields(columns: &[Column], item: &Value) -> String {
    let lines: Vec<[String; 2]> =
        columns.iter().map(|column| [column.heading.to_owned(), cell(column, item)]).collect();
    let widths = [lines.iter().map(|line| width(&line[0])).max().unwrap_or(0), 0];
    lines.iter().map(|line| aligned(line, &widths, &[false, false])).collect()
}

fn cell(column: &Column, item: &Value) -> String {
    match text::of(&item[column.field]) {
        Some(text) if is_time(column.field) => text::whole_seconds(&text),
        Some(text) => text::clean(&text).into_owned(),
        None => column.absent.to_owned(),
    }
}

fn is_time(field: &str) -> bool {
    ["time", "hour"].contains(&field) || field.ends_with("Time")
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

fn aligned(cells: &[String], widths: &[usize], right: &[bool]) -> String {
    let mut line = String::new();
    for ((cell, &wanted), &right) in cells.iter().zip(widths).zip(right) {
        if !line.is_empty() {
            line.push_str(GAP);
        }
        let blanks = " ".repeat(wanted.saturating_sub(width(cell)));
        let (before, after) = if right { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
        line.extend([before, cell, after]);
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const COLUMNS: [Column; 3] = [
        Column::new("Name", "displayName"),
        Column::new("Calls", "calls"),
        Column::new("Last used", "lastUseTime").or("never"),
    ];

    #[test]
    fn columns_are_aligned_and_numbers_stand_to_the_right() {
        let items = [
            json!({"displayName": "sms-prod-worker", "calls": 9_100, "lastUseTime": "2026-08-01T12:00:00.123Z"}),
            json!({"displayName": "é", "calls": 7}),
        ];
        let expected = "\
Name             Calls  Last used
sms-prod-worker   9100  2026-08-01T12:00:00Z
é                    7  never
";
        assert_eq!(rows(&COLUMNS, &items), expected);
    }

    #[test]
    fn one_thing_is_a_line_for_each_field() {
        let item = json!({"displayName": "a\nb\u{1b}[31m", "calls": 7});
        assert_eq!(fields(&COLUMNS, &item), "Name       a\\u{a}b\\u{1b}[31m\nCalls      7\nLast used  never\n");
    }
}
