//! The drawing of a period: bars by hour, day or month, in percents across and pixels down.

use std::collections::BTreeMap;

use tollgate_core::Timestamp;
use tollgate_core::calendar::Month;

use super::period::{Asked, date};
use crate::http::dashboard::words::{grouped, short};
use crate::operations::{Grouping, UsageSum};

/// Where the bars stand, and how high the highest is, in pixels.
const GROUND: i64 = 168;
const HEIGHT: i64 = 160;
/// Periods up to so many days are drawn by hour, up to so many by day, longer ones by month.
const BY_HOUR: i64 = 2;
const BY_DAY: i64 = 92;
/// The most labels below the bars.
const LABELS: usize = 8;

/// What one bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Hour,
    Day,
    Month,
}

impl Unit {
    pub(super) fn of(asked: Asked) -> Self {
        let days = asked.days();
        if days <= BY_HOUR {
            Self::Hour
        } else if days <= BY_DAY {
            Self::Day
        } else {
            Self::Month
        }
    }

    /// How the sums are asked for: months are made of days.
    pub(super) fn grouping(self) -> Grouping {
        if self == Self::Hour { Grouping::Hour } else { Grouping::Day }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    fn start(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Hour => at.hour(),
            Self::Day => at.day(),
            Self::Month => Month::of(at).start(),
        }
    }

    fn next(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Hour => Timestamp(at.0 + Timestamp::HOUR),
            Self::Day => Timestamp(at.0 + Timestamp::DAY),
            Self::Month => Month::of(at).plus(1).start(),
        }
    }

    /// The label below a bar.
    fn label(self, at: Timestamp) -> String {
        let text = at.to_string();
        let month = Month::of(at);
        match self {
            Self::Hour => text.get(11..16).unwrap_or_default().to_owned(),
            Self::Day => format!("{} {}", text.get(8..10).unwrap_or_default(), month.short_name()),
            Self::Month => format!("{} {}", month.short_name(), month.year()),
        }
    }

    /// How the table names it.
    fn name(self, at: Timestamp) -> String {
        match self {
            Self::Hour => format!("{} {}", date(at), self.label(at)),
            Self::Day => date(at),
            Self::Month => Month::of(at).to_string(),
        }
    }
}

/// One bar, and its line in the table beside the drawing.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) calls: String,
    pub(super) denied: String,
    /// Percents.
    pub(super) left: String,
    pub(super) width: String,
    /// Pixels: calls from the ground up, what was denied on top of them.
    pub(super) top: i64,
    pub(super) height: i64,
    pub(super) denied_top: i64,
    pub(super) denied_height: i64,
}

/// A label below the bars.
pub(super) struct Label {
    pub(super) at: String,
    pub(super) text: String,
    /// Left out where there is little room.
    pub(super) minor: bool,
}

/// The drawing.
pub(super) struct Chart {
    pub(super) unit: Unit,
    pub(super) bars: Vec<Bar>,
    pub(super) labels: Vec<Label>,
    /// Height in pixels and number of each line across.
    pub(super) lines: Vec<(i64, String)>,
    pub(super) has_denied: bool,
    pub(super) calls: i64,
    pub(super) denied: i64,
}

impl Chart {
    /// Draws the sums of a period, which are by hour or by day.
    pub(super) fn new(asked: Asked, unit: Unit, sums: &[UsageSum]) -> Self {
        let mut places: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        let mut at = unit.start(asked.from);
        while at < asked.to {
            places.insert(at.0, (0, 0));
            at = unit.next(at);
        }
        for sum in sums {
            let at = unit.start(Timestamp(sum.group.parse().unwrap_or(0)));
            let (calls, denied) = places.entry(at.0).or_default();
            *calls += sum.calls;
            *denied += sum.denied;
        }
        let top = nice(places.values().map(|(calls, denied)| calls + denied).max().unwrap_or(0));
        let count = places.len();
        let bars = places.iter().enumerate();
        let bars = bars.map(|(place, (&at, &sums))| bar(unit, (place, count), Timestamp(at), sums, top));
        let bars: Vec<Bar> = bars.collect();
        let drawn_denials = bars.iter().any(|bar| bar.denied_height > 0);
        let total = places.values().fold((0, 0), |total, sums| (total.0 + sums.0, total.1 + sums.1));
        Self {
            unit,
            bars,
            labels: labels(unit, places.keys().map(|&at| Timestamp(at))),
            lines: lines(top),
            has_denied: drawn_denials,
            calls: total.0,
            denied: total.1,
        }
    }
}

fn bar(unit: Unit, (place, count): (usize, usize), at: Timestamp, (calls, denied): (i64, i64), top: i64) -> Bar {
    let slot = 100.0 / count as f64;
    // A single call is seen too. Denials are outlined: less than two pixels would be a line that says more than is true.
    let height = if calls > 0 { scaled(calls, top).max(1) } else { 0 };
    let denied_height = Some(scaled(denied, top)).filter(|&height| height >= 2).unwrap_or(0);
    Bar {
        name: unit.name(at),
        calls: grouped(calls),
        denied: grouped(denied),
        left: percent((place as f64 + 0.14) * slot),
        width: percent(0.72 * slot),
        top: GROUND - height,
        height,
        denied_top: GROUND - height - denied_height,
        denied_height,
    }
}

/// Labels in even distances; every other one is minor.
fn labels(unit: Unit, starts: impl ExactSizeIterator<Item = Timestamp>) -> Vec<Label> {
    let count = starts.len().max(1);
    let step = count.div_ceil(LABELS);
    let shown = starts.enumerate().step_by(step).enumerate();
    let label = |(number, (place, at)): (usize, (usize, Timestamp))| Label {
        at: percent((place as f64 + 0.5) * 100.0 / count as f64),
        text: unit.label(at),
        minor: number % 2 == 1,
    };
    shown.map(label).collect()
}

fn lines(top: i64) -> Vec<(i64, String)> {
    let numbers = if top > 1 { vec![0, top / 2, top] } else { vec![0, top] };
    numbers.into_iter().map(|number| (GROUND - scaled(number, top), short(number))).collect()
}

fn scaled(number: i64, top: i64) -> i64 {
    number.saturating_mul(HEIGHT) / top.max(1)
}

/// The next number that is 1, 2, 4 or 6 with zeros behind it: its half is short as well.
fn nice(most: i64) -> i64 {
    let mut unit: i64 = 1;
    loop {
        for step in [1, 2, 4, 6] {
            if unit.saturating_mul(step) >= most {
                return unit.saturating_mul(step);
            }
        }
        unit = unit.saturating_mul(10);
    }
}

fn percent(number: f64) -> String {
    format!("{number:.2}%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_core::calendar::day;

    fn asked(from: &str, to: &str) -> Asked {
        Asked { from: day(from).expect("a day"), to: day(to).expect("a day"), grouping: Grouping::Product }
    }

    fn sum(at: &str, calls: i64, denied: i64) -> UsageSum {
        UsageSum { group: day(at).expect("a day").0.to_string(), calls, denied, units: 0 }
    }

    #[test]
    fn every_day_has_its_bar_and_none_is_higher_than_the_top() {
        let asked = asked("2026-11-01", "2026-12-01");
        let chart = Chart::new(asked, Unit::of(asked), &[sum("2026-11-01", 90, 10), sum("2026-11-30", 1, 0)]);
        assert_eq!((chart.bars.len(), chart.unit.word(), chart.calls, chart.denied), (30, "day", 91, 10));
        let (first, last) = (&chart.bars[0], &chart.bars[29]);
        assert_eq!((first.height, first.denied_top, first.denied_height), (144, 8, 16));
        assert_eq!((last.height, last.top, &*last.name), (1, 167, "2026-11-30"));
        assert_eq!(chart.bars[1].height, 0);
        assert_eq!(chart.lines, [(168, "0".to_owned()), (88, "50".to_owned()), (8, "100".to_owned())]);
        assert_eq!((&*chart.labels[0].text, chart.labels.len()), ("01 Nov", 8));
    }

    #[test]
    fn long_periods_are_drawn_by_month_and_short_ones_by_hour() {
        let year = asked("2025-12-15", "2026-12-01");
        let chart = Chart::new(year, Unit::of(year), &[sum("2025-12-20", 5, 0), sum("2025-12-31", 6, 0)]);
        assert_eq!((chart.bars.len(), &*chart.bars[0].calls, &*chart.bars[0].name), (12, "11", "2025-12"));
        let days = asked("2026-11-01", "2026-11-03");
        assert_eq!(Chart::new(days, Unit::of(days), &[]).bars.len(), 48);
        assert_eq!([0, 1, 3, 7, 61, 1_000, i64::MAX].map(nice), [1, 1, 4, 10, 100, 1_000, i64::MAX]);
    }
}
