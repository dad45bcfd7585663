//! Instants and numbers as people read them.

use tollgate_core::Timestamp;

const DAY: i64 = 86_400;

/// An instant, for a `time` element.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// RFC 3339.
    pub(crate) iso: String,
    /// `2026-11-23 17:34 UTC`
    pub(crate) text: String,
    /// `2026-11-23 17:34:58 UTC`
    pub(crate) exact: String,
    /// `2026-11-23`
    pub(crate) date: String,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        let iso = at.to_string();
        let date = iso.get(..10).unwrap_or(&iso).to_owned();
        let time = iso.get(11..16).unwrap_or_default();
        let text = format!("{date} {time} UTC");
        let exact = format!("{date} {} UTC", iso.get(11..19).unwrap_or_default());
        Self { iso, text, exact, date }
    }
}

/// `12 s ago`, `3 h ago`, `5 d ago`.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", span(now.seconds() - at.seconds()))
}

/// `in 9 d`; `now` when it is over.
pub(crate) fn until(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.seconds() - now.seconds();
    if seconds <= 0 { "now".to_owned() } else { format!("in {}", span(seconds)) }
}

/// The largest whole unit: `45 s`, `3 h`, `12 d`.
fn span(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ ..3_600 => format!("{} min", seconds / 60),
        seconds @ ..DAY => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / DAY),
    }
}

/// `12`, `12.4 k`, `9.1 M`.
pub(crate) fn short(number: i64) -> String {
    let scaled = |unit: i64, letter| {
        let tenths = number / (unit / 10);
        if tenths < 1_000 {
            format!("{}.{} {letter}", tenths / 10, tenths % 10)
        } else {
            format!("{} {letter}", tenths / 10)
        }
    };
    match number {
        ..10_000 => number.to_string(),
        10_000..1_000_000 => scaled(1_000, 'k'),
        1_000_000..1_000_000_000 => scaled(1_000_000, 'M'),
        1_000_000_000.. => scaled(1_000_000_000, 'G'),
    }
}

/// `1,234,567`
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_numbers_are_short() {
        let at = |seconds| Timestamp::from_seconds(1_000_000 + seconds);
        assert_eq!(ago(at(0), at(59)), "59 s ago");
        assert_eq!(ago(at(0), at(3_599)), "59 min ago");
        assert_eq!(ago(at(5), at(0)), "0 s ago");
        assert_eq!(until(at(9 * DAY + 5), at(0)), "in 9 d");
        assert_eq!([9_999, 12_440, 999_999, 9_100_000].map(short), ["9999", "12.4 k", "999 k", "9.1 M"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
