//! Time as Tollgate counts it: whole microseconds since 1970, read from a [`Clock`] that is passed in.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Microseconds in one hour, the width of a usage bucket.
    pub const HOUR: i64 = 3_600_000_000;

    /// Microseconds in one day in UTC.
    pub const DAY: i64 = 24 * Self::HOUR;

    /// Whole seconds since 1970, rounded down: the unit of `iat` and `exp` (RFC 7519 §2, NumericDate).
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The instant `seconds` after 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// The start of the hour that holds this instant.
    pub fn hour(self) -> Self {
        Self(self.0.div_euclid(Self::HOUR) * Self::HOUR)
    }

    /// The start of the day in UTC that holds this instant.
    pub fn day(self) -> Self {
        Self(self.0.div_euclid(Self::DAY) * Self::DAY)
    }

    /// This instant and `seconds` more (or fewer, when negative).
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// This instant, or the first one after `seen` when the clock stands still or was set back: for marks that only grow.
    #[must_use]
    pub fn after(self, seen: Self) -> Self {
        Self(self.0.max(seen.0.saturating_add(1)))
    }

    /// Parses RFC 3339 with an offset, for example `2026-11-23T17:31:02Z`.
    ///
    /// # Errors
    /// Any other text, also a date without a time or a time without an offset.
    pub fn parse(text: &str) -> Result<Self, BadTime> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| BadTime)?;
        Ok(Self(parsed.as_microsecond()))
    }
}

/// When something ends, if it ever does. It takes the room of an instant: the last one there is stands for "never".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End(Timestamp);

impl End {
    /// It does not end.
    pub const NEVER: Self = Self(Timestamp(i64::MAX));

    /// Whether the end has come. At the instant itself it has.
    pub fn has_come(self, now: Timestamp) -> bool {
        self != Self::NEVER && now >= self.0
    }
}

impl From<Option<Timestamp>> for End {
    fn from(end: Option<Timestamp>) -> Self {
        end.map_or(Self::NEVER, Self)
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-23T17:31:02.125Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(out, "{instant:.3}"),
            Err(_) => write!(out, "{}us", self.0),
        }
    }
}

/// The text was not an instant of RFC 3339.
#[derive(Debug, thiserror::Error)]
#[error("not an RFC 3339 instant such as 2026-11-23T17:31:02Z")]
pub struct BadTime;

/// Where the time comes from. The program has one; tests move theirs by hand.
pub trait Clock: Send + Sync {
    /// The present instant. May step back when the machine's clock is set.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let micros = since.unwrap_or(Duration::ZERO).as_micros();
        Timestamp(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the clock on (or back, when negative).
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_prints_with_milliseconds_and_z() {
        assert_eq!(Timestamp(1_700_000_000_123_456).to_string(), "2023-11-14T22:13:20.123Z");
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn an_instant_is_read_back_and_nonsense_is_refused() {
        let read = Timestamp::parse("2023-11-14T22:13:20.123Z").expect("RFC 3339");
        assert_eq!(read, Timestamp(1_700_000_000_123_000));
        assert!(Timestamp::parse("2023-11-14").is_err());
        assert!(Timestamp::parse("tomorrow").is_err());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "it is the machine's clock that is compared")]
    fn the_systems_clock_tells_the_time_and_a_manual_one_is_moved() {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let apart = SystemClock.now().seconds() - i64::try_from(since.as_secs()).expect("not that late");
        assert!((0..60).contains(&apart), "{apart}");
        let clock = ManualClock::new(Timestamp::from_seconds(100));
        clock.advance_seconds(7);
        assert_eq!(clock.now(), Timestamp(107_000_000));
        clock.advance_seconds(-8);
        assert_eq!(clock.now(), Timestamp(99_000_000));
    }

    #[test]
    fn hours_and_days_before_1970_round_down_too() {
        assert_eq!(Timestamp(-1).hour(), Timestamp(-Timestamp::HOUR));
        assert_eq!(Timestamp(Timestamp::HOUR + 5).hour(), Timestamp(Timestamp::HOUR));
        assert_eq!(Timestamp(-1).day(), Timestamp(-Timestamp::DAY));
        assert_eq!(Timestamp(Timestamp::DAY - 1).day(), Timestamp(0));
    }
}
