//! The form of a usage page: a period and what to group by, as typed and as meant.

use tollgate_core::Timestamp;
use tollgate_core::calendar::{self, Month};

use crate::http::dashboard::fields::FormErrors;
use crate::http::dashboard::who::Visitor;
use crate::operations::Grouping;

/// The most days of a period: three years, one of them a leap year.
const MOST_DAYS: i64 = 1_096;

/// Periods to choose from.
pub(super) const PERIODS: [(&str, &str); 7] = [
    ("today", "Today"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
    ("month", "This month"),
    ("last-month", "Last month"),
    ("12m", "Last 12 months"),
    (DATES, "From … to …"),
];

/// What usage is grouped by.
pub(super) const GROUPINGS: [(&str, &str); 4] =
    [("project", "Project"), ("key", "Access key or service plan"), ("product", "Product"), ("day", "Day")];

/// The period that is typed.
const DATES: &str = "dates";

/// The form as it was typed.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) period: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) group: String,
}

/// The form as it is meant. Whole days in UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) from: Timestamp,
    /// Not included.
    pub(super) to: Timestamp,
    pub(super) grouping: Grouping,
}

impl Typed {
    /// What the URL says. Dates that were typed beside a period win, unless the period was just chosen.
    pub(super) fn of(visitor: &Visitor, group: &str) -> Self {
        let text = |name| visitor.query(name).chars().take(40).collect::<String>();
        let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
        let (from, to) = (text("from"), text("to"));
        let has_dates = !from.is_empty() || !to.is_empty();
        let was = text("was");
        let mut period = or(text("period"), if has_dates { DATES } else { "30d" });
        if has_dates && period == was {
            DATES.clone_into(&mut period);
        }
        let is_typed = period == DATES;
        let kept = |text: String| if is_typed { text } else { String::new() };
        Self { period, from: kept(from), to: kept(to), group: or(text("group"), group) }
    }

    /// What is meant by it.
    pub(super) fn asked(&self, now: Timestamp) -> Result<Asked, FormErrors> {
        let (from, to) = self.days(now)?;
        let grouping = match &*self.group {
            "project" => Grouping::Project,
            "key" => Grouping::Key,
            "product" => Grouping::Product,
            "day" => Grouping::Day,
            _ => return Err(FormErrors::one("group", "must be one of the list")),
        };
        Ok(Asked { from, to, grouping })
    }

    fn days(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), FormErrors> {
        let tomorrow = now.day().plus_seconds(86_400);
        let back = |days: i64| Timestamp(tomorrow.0 - days * Timestamp::DAY);
        let month = Month::of(now);
        match &*self.period {
            "today" => Ok((back(1), tomorrow)),
            "7d" => Ok((back(7), tomorrow)),
            "30d" => Ok((back(30), tomorrow)),
            "month" => Ok((month.start(), tomorrow)),
            "last-month" => Ok((month.plus(-1).start(), month.start())),
            "12m" => Ok((month.plus(-11).start(), tomorrow)),
            DATES => self.dates(now),
            _ => Err(FormErrors::one("period", "must be one of the list")),
        }
    }

    /// The days that were typed; without a last one, up to today.
    fn dates(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), FormErrors> {
        let day = |field, text: &str| calendar::day(text).map_err(|error| FormErrors::one(field, error.to_string()));
        let from = day("from", &self.from)?;
        let last = if self.to.is_empty() { now.day() } else { day("to", &self.to)? };
        let to = Timestamp(last.0 + Timestamp::DAY);
        if from >= to {
            return Err(FormErrors::one("from", "must not be after the last day"));
        }
        if to.0 - from.0 > MOST_DAYS * Timestamp::DAY {
            return Err(FormErrors::one("from", "must be at most three years before the last day"));
        }
        Ok((from, to))
    }

    /// The same question in a URL, for links.
    pub(super) fn link(&self, group: &str) -> String {
        let mut link = form_urlencoded::Serializer::new(String::new());
        link.append_pair("period", &self.period);
        if self.period == DATES {
            link.append_pair("from", &self.from).append_pair("to", &self.to);
        }
        link.append_pair("group", group).finish()
    }
}

impl Asked {
    pub(super) fn days(self) -> i64 {
        (self.to.0 - self.from.0) / Timestamp::DAY
    }

    /// The last day that is in, as `2026-11-23`.
    pub(super) fn last_day(self) -> String {
        date(Timestamp(self.to.0 - 1))
    }
}

/// `2026-11-23`
pub(super) fn date(at: Timestamp) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

    fn asked(period: &str, from: &str, to: &str) -> Result<(String, String), FormErrors> {
        let [period, from, to] = [period, from, to].map(ToOwned::to_owned);
        let asked = Typed { period, from, to, group: "day".to_owned() }.asked(NOW)?;
        Ok((date(asked.from), asked.last_day()))
    }

    #[test]
    fn periods_are_whole_days_and_today_is_in() {
        for (period, from, last) in [
            ("today", "2026-09-21", "2026-09-21"),
            ("7d", "2026-09-15", "2026-09-21"),
            ("30d", "2026-08-23", "2026-09-21"),
            ("month", "2026-09-01", "2026-09-21"),
            ("last-month", "2026-08-01", "2026-08-31"),
            ("12m", "2025-10-01", "2026-09-21"),
        ] {
            let days = asked(period, "", "").expect("a period");
            assert_eq!(days, (from.to_owned(), last.to_owned()), "{period}");
        }
        assert_eq!(asked("dates", "2026-01-01", "").expect("up to today").1, "2026-09-21");
    }

    #[test]
    fn what_makes_no_sense_is_refused_at_its_field() {
        for (from, to, field) in [
            ("2026-09-02", "2026-09-01", "from"),
            ("2026-02-30", "2026-09-01", "from"),
            ("2026-09-01", "soon", "to"),
            ("", "2026-09-01", "from"),
            ("2023-09-01", "2026-09-01", "from"),
            ("0001-01-01", "9999-12-31", "from"),
        ] {
            let errors = asked("dates", from, to).expect_err("no period");
            assert!(!errors.at(field).is_empty(), "{from} {to}");
        }
        assert!(asked("dates", "2023-09-02", "2026-09-01").is_ok(), "three years");
        assert!(!asked("forever", "", "").expect_err("no period").at("period").is_empty());
    }
}
