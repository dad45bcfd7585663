//! CSV by RFC 4180, harmless in spreadsheets: a cell that would be taken for a formula begins with an apostrophe.

use serde_json::Value;

use super::{Column, text};

const LINE_END: &str = "\r\n";

/// A header of field names, and a row for each item.
pub(crate) fn document(columns: &[Column], items: &[Value]) -> String {
    let mut text = header(columns);
    text.extend(items.iter().map(|item| row(columns, item)));
    text
}

/// The names of the fields.
pub(crate) fn header(columns: &[Column]) -> String {
    line(columns.iter().map(|column| column.field.to_owned()))
}

/// One item.
pub(crate) fn row(columns: &[Column], item: &Value) -> String {
    line(columns.iter().map(|column| text::of(&item[column.field]).unwrap_or_default()))
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.map(|cell| quoted(&cell)).collect::<Vec<_>>().join(",") + LINE_END
}

fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{}", text::clean(cell)) } else { text::clean(cell).into_owned() };
    if cell.contains([',', '"']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const COLUMNS: [Column; 2] = [Column::new("Name", "displayName"), Column::new("Calls", "calls")];

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let items = [json!({"displayName": "a, \"b\"", "calls": 3}), json!({"displayName": "plain"})];
        assert_eq!(document(&COLUMNS, &items), "displayName,calls\r\n\"a, \"\"b\"\"\",3\r\nplain,\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (name, cell) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\\u{9}=1"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(row(&COLUMNS, &json!({"displayName": name, "calls": 1})), format!("{cell},1\r\n"));
        }
    }

    #[test]
    fn a_row_is_one_line() {
        assert_eq!(row(&COLUMNS, &json!({"displayName": "a\r\nb\u{9b}", "calls": 1})), "a\\u{d}\\u{a}b\\u{9b},1\r\n");
    }
}
