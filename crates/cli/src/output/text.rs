//! JSON values as the text of a cell, and text that does nothing to a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value;

/// The text of a value; `None` when there is nothing to show.
pub(crate) fn of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => Some(items.iter().filter_map(of).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) if fields.is_empty() => None,
        Value::Object(fields) => {
            Some(fields.iter().map(|(name, value)| format!("{name}={}", inner(value))).collect::<Vec<_>>().join(" "))
        }
    }
}

/// A value within another: its blanks would be taken for the outer ones.
fn inner(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().filter_map(of).collect::<Vec<_>>().join(","),
        other => of(other).unwrap_or_default(),
    }
}

/// An instant as people read it: `2026-08-01T12:00:00Z`, without the milliseconds.
pub(crate) fn whole_seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, rest)) if rest.ends_with('Z') && rest.len() <= 10 => clean(whole).into_owned() + "Z",
        _ => clean(time).into_owned(),
    }
}

/// Whether a terminal might obey this character instead of showing it: control characters, line separators and those
/// that turn the direction of the text.
pub(crate) fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// The text with such characters written out, as `\u{1b}`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_unsafe(letter) {
            write!(clean, "\\u{{{:x}}}", u32::from(letter)).expect("a String takes everything");
        } else {
            clean.push(letter);
        }
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_become_words() {
        let text = |value| of(&value).unwrap_or_default();
        assert_eq!(text(json!(null)), "");
        assert_eq!(text(json!(true)), "yes");
        assert_eq!(text(json!(9_100_000)), "9100000");
        assert_eq!(text(json!(["sms", "keys:manage"])), "sms keys:manage");
        assert_eq!(text(json!({"burst": 30, "perSecond": 10})), "burst=30 perSecond=10");
        assert_eq!(text(json!({"displayName": "w", "scopes": ["sms", "demo"]})), "displayName=w scopes=sms,demo");
        assert_eq!(of(&json!([])), None);
    }

    #[test]
    fn people_read_whole_seconds() {
        assert_eq!(whole_seconds("2026-08-01T12:00:00.123Z"), "2026-08-01T12:00:00Z");
        assert_eq!(whole_seconds("2026-08-01T12:00:00Z"), "2026-08-01T12:00:00Z");
        assert_eq!(whole_seconds("soon\u{1b}."), "soon\\u{1b}.");
    }

    #[test]
    fn control_characters_are_written_out_and_other_unicode_is_kept() {
        assert_eq!(clean("a\u{1b}]0;x\u{7}\u{9b}b\u{202e}"), "a\\u{1b}]0;x\\u{7}\\u{9b}b\\u{202e}");
        assert_eq!(clean("鍵 🔑 é"), "鍵 🔑 é");
    }
}
