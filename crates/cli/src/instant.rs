//! Instants and spans as people type them: `2026-11-01`, `2026-11-01T12:00:00Z`, `24h`.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// An instant, from a date (its first moment in UTC) or from RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(Timestamp);

/// A number of whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) u32);

impl Instant {
    /// RFC 3339, as the server takes it.
    pub(crate) fn rfc3339(self) -> String {
        self.0.to_string()
    }
}

impl FromStr for Instant {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "expected a date such as 2026-11-01 or an instant such as 2026-11-01T12:00:00Z";
        if text.len() == 10 {
            let date: Date = text.parse().map_err(|_| WRONG)?;
            return TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).map(Self).map_err(|_| WRONG);
        }
        text.parse().map(Self).map_err(|_| WRONG)
    }
}

impl FromStr for Span {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "expected a span such as 0, 90s, 30m, 24h or 7d";
        let (number, unit) = match text.bytes().last() {
            Some(b's') => (&text[..text.len() - 1], 1),
            Some(b'm') => (&text[..text.len() - 1], 60),
            Some(b'h') => (&text[..text.len() - 1], 3_600),
            Some(b'd') => (&text[..text.len() - 1], 86_400),
            _ => (text, 1),
        };
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(WRONG);
        }
        number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit)).map(Self).ok_or(WRONG)
    }
}

/// Seconds since 1970, as tokens hold them, in RFC 3339.
pub(crate) fn of_seconds(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|instant| instant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_begin_at_midnight_utc_and_offsets_are_resolved() {
        let read = |text: &str| text.parse::<Instant>().map(Instant::rfc3339);
        assert_eq!(read("2026-11-01"), Ok("2026-11-01T00:00:00Z".to_owned()));
        assert_eq!(read("2026-11-01T12:00:00Z"), Ok("2026-11-01T12:00:00Z".to_owned()));
        assert_eq!(read("2026-11-01T12:00:00+02:00"), Ok("2026-11-01T10:00:00Z".to_owned()));
        for wrong in ["", "2026-13-01", "2026-11-01T12:00:00", "tomorrow", "20261101ab"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans_have_one_unit() {
        let read = |text: &str| text.parse::<Span>().map(|span| span.0);
        assert_eq!((read("0"), read("3600"), read("90s")), (Ok(0), Ok(3_600), Ok(90)));
        assert_eq!((read("30m"), read("24h"), read("7d")), (Ok(1_800), Ok(86_400), Ok(604_800)));
        for wrong in ["", "h", "-1h", "1.5h", "1h30m", "99999999d", "é"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
