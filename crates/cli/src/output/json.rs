//! JSON as the server answered it, over several lines; characters that a terminal might obey are escaped.

use std::fmt::Write as _;

use serde_json::Value;

use super::text::is_unsafe;

/// Indented, with a line end.
pub(crate) fn pretty(value: &Value) -> String {
    escaped(&format!("{value:#}")) + "\n"
}

/// On one line, with a line end.
pub(crate) fn line(value: &Value) -> String {
    escaped(&value.to_string()) + "\n"
}

/// Outside of strings, JSON holds no such character but the line ends of its own indentation; within them, what is
/// below U+0020 is escaped already.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + 1);
    for letter in json.chars() {
        if letter != '\n' && is_unsafe(letter) {
            write!(text, "\\u{:04x}", u32::from(letter)).expect("a String takes everything");
        } else {
            text.push(letter);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_printed_reads_back_and_holds_no_control_character() {
        let value = json!({"displayName": "a\u{1b}\u{9b}\u{7f}\u{202e}\n鍵", "calls": [1, 2]});
        for text in [pretty(&value), line(&value)] {
            assert!(!text.contains(|letter| letter != '\n' && is_unsafe(letter)));
            assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
        }
        assert_eq!(line(&value).matches('\n').count(), 1);
    }
}
