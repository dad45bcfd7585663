//! Days and months in UTC, as people type and bill them.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::clock::Timestamp;

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The start of a day that is written `2026-11-23`.
///
/// # Errors
/// Any other text, and days that no calendar has.
pub fn day(text: &str) -> Result<Timestamp, BadDate> {
    let is_plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date: Date = text.parse().ok().filter(|_| is_plain).ok_or(BadDate)?;
    Ok(start(date))
}

/// The text was no day such as 2026-11-23.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a day such as 2026-11-23")]
pub struct BadDate;

/// A month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i16,
    /// 1 to 12.
    month: i8,
}

impl Month {
    /// The month that holds this instant.
    pub fn of(at: Timestamp) -> Self {
        let date = date(at);
        Self { year: date.year(), month: date.month() }
    }

    /// Its first instant.
    pub fn start(self) -> Timestamp {
        Date::new(self.year, self.month, 1).map(start).unwrap_or_default()
    }

    /// The month so many months later, or earlier when negative; the last or first that a calendar has when it has no such.
    #[must_use]
    pub fn plus(self, months: i32) -> Self {
        let count = (i32::from(self.year) * 12 + i32::from(self.month) - 1).saturating_add(months);
        let count = count.clamp(12, 9_999 * 12 + 11);
        let year = i16::try_from(count.div_euclid(12)).unwrap_or(i16::MAX);
        let month = i8::try_from(count.rem_euclid(12) + 1).unwrap_or(1);
        Self { year, month }
    }

    /// `November`
    pub fn name(self) -> &'static str {
        usize::try_from(self.month - 1).ok().and_then(|at| NAMES.get(at)).unwrap_or(&"")
    }

    /// `Nov`
    pub fn short_name(self) -> &'static str {
        self.name().get(..3).unwrap_or_default()
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.year
    }
}

/// `2026-11`
impl fmt::Display for Month {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = BadDate;
    fn from_str(text: &str) -> Result<Self, BadDate> {
        if text.len() != 7 {
            return Err(BadDate);
        }
        day(&format!("{text}-01")).map(Self::of)
    }
}

fn start(date: Date) -> Timestamp {
    const EPOCH: Date = jiff::civil::date(1970, 1, 1);
    let days = EPOCH.until(date).map_or(0, |span| span.get_days());
    Timestamp(i64::from(days) * Timestamp::DAY)
}

fn date(at: Timestamp) -> Date {
    let instant = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    jiff::tz::TimeZone::UTC.to_datetime(instant).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_in_one_spelling() {
        assert_eq!(day("1970-01-02"), Ok(Timestamp(Timestamp::DAY)));
        assert_eq!(day("1969-12-31"), Ok(Timestamp(-Timestamp::DAY)));
        assert_eq!(day("2026-11-23").expect("a day").to_string(), "2026-11-23T00:00:00.000Z");
        for text in [
            "",
            "2026-02-30",
            "2026-13-01",
            "2026-11-23T00:00",
            "20261123",
            "23.11.2026",
            "+002026-11-23",
            "２026-11-23",
        ] {
            assert_eq!(day(text), Err(BadDate), "{text}");
        }
    }

    #[test]
    fn months_follow_each_other_through_the_years() {
        let month: Month = "2026-11".parse().expect("a month");
        assert_eq!(month.start(), day("2026-11-01").expect("a day"));
        assert_eq!(Month::of(Timestamp(month.start().0 - 1)).to_string(), "2026-10");
        assert_eq!(
            [month.plus(2), month.plus(-11), month.plus(-23)].map(|it| it.to_string()),
            ["2027-01", "2025-12", "2024-12"]
        );
        assert_eq!((month.name(), month.short_name(), month.year()), ("November", "Nov", 2026));
        assert_eq!("9999-12".parse::<Month>().expect("a month").plus(1).to_string(), "9999-12");
        for text in ["2026-13", "2026-1", "november", "2026-11-01", "-026-11"] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_leap_day_belongs_to_its_month() {
        let day = day("2028-02-29").expect("a leap day");
        assert_eq!(Month::of(day).to_string(), "2028-02");
        assert_eq!(Month::of(day.plus_seconds(86_400)).to_string(), "2028-03");
    }
}
