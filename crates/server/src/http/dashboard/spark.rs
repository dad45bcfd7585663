//! The small drawing of 30 days that stands in lists.

use std::fmt::Write as _;

use super::words::{grouped, short};
use crate::operations::CallsByDay;

/// The height of the tallest bar; a bar is 2 wide and stands 3 from the next.
const HEIGHT: i64 = 16;

/// Calls of 30 days in one small drawing, and its number.
#[derive(Debug, Default)]
pub(crate) struct Spark {
    /// The outline of all bars. Empty when there was no call.
    pub(crate) path: String,
    /// `9,100,000 calls in 30 days`
    pub(crate) label: String,
    /// `9.1 M`
    pub(crate) number: String,
}

impl Spark {
    /// The drawing of the days that something had; of none when it had none.
    pub(crate) fn of(days: Option<&CallsByDay>) -> Self {
        let days = days.map_or(&[][..], |days| &days[..]);
        let total: i64 = days.iter().sum();
        let plural = if total == 1 { "" } else { "s" };
        Self { path: path(days), label: format!("{} call{plural} in 30 days", grouped(total)), number: short(total) }
    }
}

/// A bar begins where the one before it began: `z` leads back there. Days without calls draw nothing.
fn path(days: &[i64]) -> String {
    let most = days.iter().copied().max().unwrap_or(0).max(1);
    let mut path = String::new();
    let mut drawn: Option<i64> = None;
    for (day, &calls) in (0..).zip(days) {
        if calls <= 0 {
            continue;
        }
        // A single call is seen too.
        let height = (calls.saturating_mul(HEIGHT).saturating_add(most - 1) / most).min(HEIGHT);
        // Writing to a String cannot fail.
        let _ = match drawn {
            None => write!(path, "M{} {HEIGHT}", day * 3),
            Some(before) => write!(path, "m{} 0", (day - before) * 3),
        };
        let _ = write!(path, "v-{height}h2v{height}z");
        drawn = Some(day);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_without_calls_draw_nothing_and_one_call_is_seen() {
        let mut days = [0; 30];
        assert_eq!(Spark::of(Some(&days)).path, "");
        assert_eq!(Spark::of(None).label, "0 calls in 30 days");
        days[0] = 1_000_000;
        days[29] = 1;
        let spark = Spark::of(Some(&days));
        assert_eq!(spark.path, "M0 16v-16h2v16zm87 0v-1h2v1z");
        assert_eq!((&*spark.label, &*spark.number), ("1,000,001 calls in 30 days", "1.0 M"));
    }
}
