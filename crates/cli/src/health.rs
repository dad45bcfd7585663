//! `tollgate health`: whether the server takes calls.

use serde_json::{Value, json};

use crate::args::Format;
use crate::failure::{Exit, Failure};
use crate::output::{Column, note, text, thing};
use crate::session::Session;

const COLUMNS: [Column; 1] = [Column::new("Ready", "ready")];

pub(crate) async fn run(session: &Session) -> Result<(), Failure> {
    let place = session.client.place();
    let (status, body) = session.client.raw("/readyz").await?;
    let why = reason(&body);
    match status.as_u16() {
        200 if session.format() == Format::Table => {
            note(&format!("{place} is ready."));
            Ok(())
        }
        200 => thing(session.format(), &json!({ "ready": true }), &COLUMNS),
        503 => Err(Failure::new(Exit::CheckFailed, format!("{place} is not ready{why}"))),
        502 | 504 => Err(Failure::new(Exit::NoAnswer, format!("{place}: a proxy answered {status} in its place"))),
        _ => Err(Failure::error(format!("{place} answered {status} to /readyz; is it a Tollgate server?"))),
    }
}

/// What the body says, in so far as it fits one line.
fn reason(body: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let texts = [&json["status"], &json["error"]["message"]];
    let said = texts.into_iter().find_map(Value::as_str).unwrap_or(body).trim();
    let line = said.lines().next().unwrap_or_default();
    if line.is_empty() || line.len() > 200 { String::new() } else { format!(": {}", text::clean(line)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_one_line() {
        assert_eq!(reason("draining\n"), ": draining");
        assert_eq!(reason(r#"{"status":"store unavailable"}"#), ": store unavailable");
        assert_eq!(reason(r#"{"error":{"message":"the database is away"}}"#), ": the database is away");
        assert_eq!(reason(""), "");
    }
}
