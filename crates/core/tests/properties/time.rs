//! Time buckets: hours, days and months hold every instant once, and follow each other without a gap.

use proptest::prelude::*;
use tollgate_core::Timestamp;
use tollgate_core::calendar::{Month, day};

/// The first instant of the year 1, and the first after the year 9998, in seconds since 1970.
const YEARS: std::ops::Range<i64> = -62_135_596_800..253_370_764_800;

fn instant() -> impl Strategy<Value = Timestamp> {
    let any = (YEARS, 0..1_000_000_i64).prop_map(|(seconds, micros)| Timestamp(seconds * 1_000_000 + micros));
    // Most mistakes are made within a moment of a border.
    let border = ((YEARS.start / 3_600 + 1..YEARS.end / 3_600), -1..=1_i64)
        .prop_map(|(hour, micros)| Timestamp(hour * Timestamp::HOUR + micros));
    prop_oneof![any, border]
}

/// Days of a month by the Gregorian rule.
fn days(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn parts(month: Month) -> (i64, i64) {
    let text = month.to_string();
    let (year, month) = text.split_once('-').expect("a year and a month");
    (year.parse().expect("a number"), month.parse().expect("a number"))
}

proptest! {
    #![proptest_config(crate::cases(1_000))]

    #[test]
    fn an_hour_a_day_and_a_month_hold_their_instant_and_lie_in_each_other(at in instant()) {
        let (hour, day, month) = (at.hour(), at.day(), Month::of(at));
        prop_assert!(hour <= at && at.0 - hour.0 < Timestamp::HOUR);
        prop_assert!(day <= hour && hour.0 - day.0 < Timestamp::DAY);
        prop_assert!(month.start() <= day && day < month.plus(1).start());
        prop_assert_eq!((hour.hour(), day.hour(), day.day(), hour.day()), (hour, day, day, day));
        prop_assert_eq!((month.start().day(), Month::of(day), Month::of(month.start())), (month.start(), month, month));
    }

    #[test]
    fn months_follow_each_other_and_have_the_days_of_the_calendar(at in instant()) {
        let month = Month::of(at);
        let (year, number) = parts(month);
        let next = month.plus(1);
        prop_assert_eq!(next.start().0 - month.start().0, days(year, number) * Timestamp::DAY);
        prop_assert_eq!(Month::of(next.start()), next);
        prop_assert_eq!(Month::of(Timestamp(next.start().0 - 1)), month);
        prop_assert_eq!(parts(next), if number == 12 { (year + 1, 1) } else { (year, number + 1) });
        prop_assert!(month < next);
    }

    #[test]
    fn months_add_up(at in instant(), one in -30_000..30_000_i32, other in -30_000..30_000_i32) {
        let month = Month::of(at);
        let (year, number) = parts(month);
        let count = |months: i32| year * 12 + number - 1 + i64::from(months);
        let is_in_calendar = |months| (12..120_000).contains(&count(months));
        let there = parts(month.plus(one));
        if is_in_calendar(one) {
            prop_assert_eq!(there, (count(one).div_euclid(12), count(one).rem_euclid(12) + 1));
            prop_assert_eq!(month.plus(one).plus(-one), month);
            if is_in_calendar(one + other) {
                prop_assert_eq!(month.plus(one).plus(other), month.plus(one + other));
            }
        } else {
            prop_assert_eq!(there, if one < 0 { (1, 1) } else { (9_999, 12) });
        }
    }

    #[test]
    fn days_months_and_instants_are_read_as_they_are_printed(at in instant()) {
        let millis = Timestamp(at.0.div_euclid(1_000) * 1_000);
        prop_assert_eq!(Timestamp::parse(&at.to_string()).expect("RFC 3339"), millis);
        prop_assert_eq!(day(&at.to_string()[..10]), Ok(at.day()));
        let month = Month::of(at);
        prop_assert_eq!(month.to_string().parse(), Ok(month));
        prop_assert_eq!(&month.to_string()[..], &at.to_string()[..7]);
        let (name, (_, number)) = (month.name(), parts(month));
        prop_assert_eq!(Month::of(day(&format!("2024-{number:02}-01")).expect("a day")).name(), name);
    }

    #[test]
    fn seconds_are_rounded_down_and_marks_only_grow(at in instant(), more in 0..100_000_i64, seen in instant()) {
        prop_assert!(Timestamp::from_seconds(at.seconds()) <= at);
        prop_assert!(at < Timestamp::from_seconds(at.seconds() + 1));
        prop_assert_eq!(at.plus_seconds(more).seconds(), at.seconds() + more);
        prop_assert_eq!(at.plus_seconds(more).plus_seconds(-more), at);
        prop_assert!(at.after(seen) > seen && at.after(seen) >= at);
        prop_assert!(at.after(seen) == at || at.after(seen).0 == seen.0 + 1);
    }
}
