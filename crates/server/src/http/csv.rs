//! CSV as of RFC 4180, with cells that no spreadsheet takes for a formula.

use std::fmt::Write as _;

/// What spreadsheets take for the beginning of a formula, also after they have trimmed or widened it.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A table that grows row by row.
#[derive(Debug, Default)]
pub(crate) struct Csv(String);

impl Csv {
    /// A table with the names of its columns.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut csv = Self::default();
        csv.row(columns);
        csv
    }

    /// Adds a row. What people have named is harmless in a spreadsheet, and numbers stay numbers.
    pub(crate) fn row<C: AsRef<str>>(&mut self, cells: &[C]) {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            self.cell(cell.as_ref());
        }
        self.0.push_str("\r\n");
    }

    /// The whole table.
    pub(crate) fn text(self) -> String {
        self.0
    }

    fn cell(&mut self, text: &str) {
        let apostrophe = if is_formula(text) { "'" } else { "" };
        let is_plain = |letter: char| letter.is_alphanumeric() || "-_.:/'".contains(letter);
        if apostrophe.is_empty() && text.chars().all(is_plain) {
            self.0.push_str(text);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(self.0, "\"{apostrophe}{}\"", text.replace('"', "\"\""));
        }
    }
}

/// A negative number is none.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches(' ').starts_with(FORMULA) && text.parse::<i64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cell: &str) -> String {
        let mut csv = Csv::default();
        csv.row(&[cell, "7"]);
        csv.text()
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(Csv::new(&["display_name", "calls"]).text(), "display_name,calls\r\n");
        assert_eq!(line("billing-worker"), "billing-worker,7\r\n");
        assert_eq!(line("a,b \"c\"\nd;e"), "\"a,b \"\"c\"\"\nd;e\",7\r\n");
        assert_eq!(line(""), ",7\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for evil in ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "=HYPERLINK(\"http://x\",\"y\")"]
        {
            let line = line(evil);
            assert!(line.starts_with("\"'"), "{line}");
            assert!(line.ends_with("\",7\r\n"), "{line}");
        }
        assert_eq!(line("-5"), "-5,7\r\n", "a number stays a number");
    }
}
