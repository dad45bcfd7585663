//! The result: a table to read, and JSON with every figure.

use std::fmt;

use serde_json::{Value, json};

use crate::Options;
use crate::comparison::{By, Comparison};
use crate::once::Once;
use crate::origin;
use crate::rounds::Sample;

/// Share of the machine that others may use before the figures suffer.
const QUIET: f64 = 0.05;

/// What was measured, where, when and how.
pub(crate) struct Report {
    origin: Value,
    rows: Vec<Row>,
    once: Vec<Once>,
    foreign: f64,
    samples: Vec<Value>,
}

/// The rounds of one server in one case.
#[derive(Clone)]
struct Row {
    case: String,
    server: String,
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us: f64,
    resident_mb: f64,
    answer_bytes: f64,
    by: By,
    /// Against the first server of the case, round by round. None for that one.
    ratio: Option<Spread>,
    target: Option<f64>,
    p99_target: Option<f64>,
}

/// The middle and the ends of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Report {
    /// Sums the samples up.
    pub(crate) fn new(options: &Options, comparisons: &[Comparison<'_>], samples: &[Sample], once: Vec<Once>) -> Self {
        Self {
            origin: origin::of(options),
            rows: rows(comparisons, samples),
            once,
            foreign: samples.iter().map(|sample| sample.foreign).fold(0.0, f64::max),
            samples: samples.iter().map(|sample| sample_json(comparisons, sample)).collect(),
        }
    }

    /// What was measured after the turns.
    pub(crate) fn add(&mut self, figures: Vec<Once>) {
        self.once.extend(figures);
    }

    /// Everything, for a program to read.
    pub(crate) fn json(&self) -> Value {
        json!({
            "origin": self.origin,
            "results": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "once": self.once.iter().map(Once::json).collect::<Vec<_>>(),
            "samples": self.samples,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&origin::lines(&self.origin))?;
        writeln!(
            out,
            "\n{:<42} {:<27} {:>10} {:>8} {:>8} {:>8} {:>7} {:>6}  {:<20} target",
            "case", "server", "requests/s", "p50 ms", "p99 ms", "CPU µs", "RSS MB", "bytes", "ratio (spread)",
        )?;
        self.rows.iter().try_for_each(|row| writeln!(out, "{row}"))?;
        if !self.once.is_empty() {
            writeln!(out)?;
            self.once.iter().try_for_each(|once| writeln!(out, "{once}"))?;
        }
        if self.foreign > QUIET {
            let percent = self.foreign * 100.0;
            writeln!(out, "\nOthers used up to {percent:.0} % of the machine: repeat this when it is quiet.")?;
        }
        Ok(())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratio = self.ratio.map(|ratio| ratio.to_string()).unwrap_or_default();
        let line = format!(
            "{:<42} {:<27} {:>10.0} {:>8.2} {:>8.2} {:>8.2} {:>7.1} {:>6.0}  {ratio:<20} {}",
            self.case,
            self.server,
            self.requests_per_second,
            self.p50_us / 1000.0,
            self.p99_us / 1000.0,
            self.cpu_us,
            self.resident_mb,
            self.answer_bytes,
            self.target(),
        );
        out.write_str(line.trim_end())
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.2} ({:.2}–{:.2})", self.median, self.least, self.most)
    }
}

impl Row {
    fn of(comparisons: &[Comparison<'_>], place: (usize, usize), samples: &[Sample]) -> Option<Self> {
        let comparison = &comparisons[place.0];
        let player = &comparison.players[place.1];
        let own: Vec<_> = turns(samples, place).collect();
        let median = |value: fn(&Sample) -> f64| Some(Spread::of(own.iter().map(|sample| value(sample)))?.median);
        Some(Self {
            case: comparison.name.clone(),
            server: player.label.clone(),
            requests_per_second: median(|sample| sample.requests_per_second)?,
            p50_us: median(|sample| sample.p50_us)?,
            p99_us: median(|sample| sample.p99_us)?,
            cpu_us: median(|sample| sample.cpu_us)?,
            resident_mb: median(|sample| sample.resident_mb)?,
            answer_bytes: median(|sample| sample.answer_bytes)?,
            by: comparison.by,
            ratio: if place.1 == 0 { None } else { ratio(&own, samples, comparison.by) },
            target: player.target,
            p99_target: player.p99_target,
        })
    }

    /// What is aimed at, and whether it was missed.
    fn target(&self) -> String {
        let mut words = Vec::new();
        if let (Some(target), Some(ratio)) = (self.target, self.ratio) {
            let (sign, is_met) = match self.by {
                By::Cpu => ("≤", ratio.median <= target),
                By::Rate | By::Saving => ("≥", ratio.median >= target),
            };
            words.push(format!("{sign} {target:.2}{}", if is_met { "" } else { " missed" }));
        }
        if let Some(target) = self.p99_target {
            let is_met = self.p99_us <= target * 1000.0;
            words.push(format!("p99 ≤ {target:.0} ms{}", if is_met { "" } else { " missed" }));
        }
        words.join(", ")
    }

    fn json(&self) -> Value {
        json!({
            "case": self.case,
            "server": self.server,
            "requestsPerSecond": self.requests_per_second,
            "p50Us": self.p50_us,
            "p99Us": self.p99_us,
            "cpuUs": self.cpu_us,
            "residentMb": self.resident_mb,
            "answerBytes": self.answer_bytes,
            "ratioOf": match self.by { By::Cpu => "cpuUs", By::Rate => "requestsPerSecond", By::Saving => "cpuUs of the first" },
            "ratio": self.ratio.map(|ratio| json!({"median": ratio.median, "least": ratio.least, "most": ratio.most})),
            "target": self.target,
            "p99TargetMs": self.p99_target,
        })
    }
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<_> = values.collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
        Some(Self { median, least, most })
    }
}

fn rows(comparisons: &[Comparison<'_>], samples: &[Sample]) -> Vec<Row> {
    let places = comparisons.iter().enumerate();
    let places = places.flat_map(|(at, comparison)| (0..comparison.players.len()).map(move |player| (at, player)));
    places.filter_map(|place| Row::of(comparisons, place, samples)).collect()
}

fn turns(samples: &[Sample], place: (usize, usize)) -> impl Iterator<Item = &Sample> {
    samples.iter().filter(move |sample| sample.place == place)
}

/// Against the first server in the same round: the speed of the machine drifts between rounds.
fn ratio(own: &[&Sample], samples: &[Sample], by: By) -> Option<Spread> {
    Spread::of(own.iter().filter_map(|sample| {
        let first = turns(samples, (sample.place.0, 0)).find(|first| first.round == sample.round)?;
        Some(match by {
            By::Cpu => sample.cpu_us / first.cpu_us,
            By::Rate => sample.requests_per_second / first.requests_per_second,
            By::Saving => first.cpu_us / sample.cpu_us,
        })
    }))
}

fn sample_json(comparisons: &[Comparison<'_>], sample: &Sample) -> Value {
    let comparison = &comparisons[sample.place.0];
    json!({
        "case": comparison.name,
        "server": comparison.players[sample.place.1].label,
        "round": sample.round,
        "requestsPerSecond": sample.requests_per_second,
        "p50Us": sample.p50_us,
        "p99Us": sample.p99_us,
        "cpuUs": sample.cpu_us,
        "residentMb": sample.resident_mb,
        "answerBytes": sample.answer_bytes,
        "foreign": sample.foreign,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::tests::sample;

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0].into_iter());
        assert_eq!(spread, Some(Spread { median: 2.5, least: 1.0, most: 4.0 }));
        assert_eq!(Spread::of(std::iter::empty()), None);
    }

    #[test]
    fn a_ratio_compares_within_its_round() {
        // The machine is half as fast in the second round: the ratio does not move.
        let samples = [
            sample((0, 0), 1, 7.0),
            sample((0, 1), 1, 10.5),
            sample((0, 0), 2, 14.0),
            sample((0, 1), 2, 21.0),
            sample((1, 0), 1, 1.0),
        ];
        let own: Vec<_> = turns(&samples, (0, 1)).collect();
        assert_eq!(ratio(&own, &samples, By::Cpu), Some(Spread { median: 1.5, least: 1.5, most: 1.5 }));
        let rate = ratio(&own, &samples, By::Rate).expect("two turns");
        assert!((rate.median - 2.0 / 3.0).abs() < 1e-9);
    }

    fn row(by: By, ratio: f64, target: f64) -> Row {
        Row {
            case: "token ES256 by Basic".to_owned(),
            server: "tollgate".to_owned(),
            requests_per_second: 33_000.0,
            p50_us: 500.0,
            p99_us: 3_100.0,
            cpu_us: 30.0,
            resident_mb: 5.0,
            answer_bytes: 390.0,
            by,
            ratio: Some(Spread { median: ratio, least: ratio, most: ratio }),
            target: Some(target),
            p99_target: None,
        }
    }

    #[test]
    fn a_row_shows_ratio_and_target_and_whether_it_was_missed() {
        let text = row(By::Cpu, 1.25, 1.35).to_string();
        assert!(text.contains("30.00"), "{text}");
        assert!(text.ends_with("1.25 (1.25–1.25)     ≤ 1.35"), "{text}");
        assert!(row(By::Cpu, 1.4, 1.35).to_string().ends_with("≤ 1.35 missed"));
        assert!(row(By::Rate, 0.95, 0.9).to_string().ends_with("≥ 0.90"));
        assert!(row(By::Rate, 0.85, 0.9).to_string().ends_with("≥ 0.90 missed"));
        let late = Row { p99_target: Some(3.0), ..row(By::Cpu, 1.0, 2.0) };
        assert!(late.to_string().ends_with("≤ 2.00, p99 ≤ 3 ms missed"), "{late}");
    }
}
