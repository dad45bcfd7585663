//! What commands print: tables for people, and JSON, CSV and environment lines for programs. Data goes to standard
//! output, everything else to standard error.

pub(crate) mod csv;
pub(crate) mod env;
pub(crate) mod json;
pub(crate) mod table;
pub(crate) mod text;

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::args::Format;
use crate::failure::Failure;

/// A field of the server's JSON, as a column or as a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Above the column, in the words of the dashboard.
    pub(crate) heading: &'static str,
    /// The name in JSON, and in the header of CSV.
    pub(crate) field: &'static str,
    /// What a table shows when the field is absent.
    pub(crate) absent: &'static str,
}

impl Column {
    pub(crate) const fn new(heading: &'static str, field: &'static str) -> Self {
        Self { heading, field, absent: "–" }
    }

    pub(crate) const fn or(self, absent: &'static str) -> Self {
        Self { absent, ..self }
    }
}

/// One thing: its fields below each other, or its environment lines.
pub(crate) fn thing(format: Format, value: &Value, columns: &[Column]) -> Result<(), Failure> {
    print(&match format {
        Format::Table => table::fields(columns, value),
        Format::Json => json::pretty(value),
        Format::Env => env::lines(value),
        Format::Csv => csv::document(columns, std::slice::from_ref(value)),
    })
}

/// A list. `field` is its name in the server's answer, `none` what to say when it is empty.
pub(crate) fn list(
    format: Format,
    field: &str,
    items: &[Value],
    columns: &[Column],
    none: &str,
) -> Result<(), Failure> {
    match format {
        Format::Table | Format::Env if items.is_empty() => {
            note(none);
            Ok(())
        }
        Format::Table | Format::Env => print(&table::rows(columns, items)),
        Format::Json => print(&json::pretty(&json!({ field: items }))),
        Format::Csv => print(&csv::document(columns, items)),
    }
}

/// Something was done that has nothing to show.
pub(crate) fn done(format: Format, answer: &Value, sentence: &str) -> Result<(), Failure> {
    note(sentence);
    if format == Format::Json { print(&json::pretty(answer)) } else { Ok(()) }
}

/// Data, to standard output. A reader that has seen enough, such as `head`, is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match write(text) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(Failure::file("standard output", &cause)),
        _ => Ok(()),
    }
}

/// Data that nobody can ask for again, to standard output: losing it is an error.
pub(crate) fn print_once(text: &str) -> Result<(), Failure> {
    write(text).map_err(|cause| Failure::file("standard output", &cause))
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A sentence for people, to standard error. Errors in files come with the line they are about.
pub(crate) fn note(text: &str) {
    for line in text.lines() {
        // When standard error is gone too, there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{}", text::clean(line));
    }
}
