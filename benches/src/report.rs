//! The result: a table to read, and JSON with every figure.

use std::fmt;

use serde_json::{Value, json};
use tollgate_bench::Algorithm;

use crate::Options;
use crate::origin;
use crate::rounds::Sample;
use crate::subject::{Case, LIMIT, PROCESS};

/// Share of the machine that others may use before the figures suffer.
const QUIET: f64 = 0.05;

/// What was measured, where, when and how.
pub(crate) struct Report {
    origin: Value,
    rows: Vec<Row>,
    samples: Vec<Sample>,
}

/// The rounds of one server in one case.
struct Row {
    case: Case,
    subject: &'static str,
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us: f64,
    resident_mb: f64,
    answer_bytes: f64,
    /// CPU time against the limit server's, round by round. None for the limit server itself.
    ratio: Option<Spread>,
}

/// The middle and the ends of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Report {
    /// Sums the samples up.
    pub(crate) fn new(options: &Options, samples: Vec<Sample>) -> Self {
        Self { origin: origin::of(options), rows: rows(&samples), samples }
    }

    /// Everything, for a program to read.
    pub(crate) fn json(&self) -> Value {
        json!({
            "origin": self.origin,
            "results": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "samples": self.samples.iter().map(sample_json).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for field in ["date", "command", "machine", "commit"] {
            writeln!(out, "{field}: {}", self.origin[field].as_str().unwrap_or("unknown"))?;
        }
        writeln!(out)?;
        writeln!(
            out,
            "{:<31} {:<18} {:>10} {:>8} {:>8} {:>8} {:>7} {:>6}  {:<20} target",
            "case", "server", "requests/s", "p50 ms", "p99 ms", "CPU µs", "RSS MB", "bytes", "ratio (spread)",
        )?;
        self.rows.iter().try_for_each(|row| writeln!(out, "{row}"))?;
        let foreign = self.samples.iter().map(|sample| sample.foreign).fold(0.0, f64::max);
        if foreign > QUIET {
            writeln!(
                out,
                "\nOthers used up to {:.0} % of the machine: repeat this when it is quiet.",
                foreign * 100.0
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratio = self.ratio.map(|ratio| ratio.to_string()).unwrap_or_default();
        let target = target(self.case, self.subject).map(|target| format!("{target:.2}")).unwrap_or_default();
        let line = format!(
            "{:<31} {:<18} {:>10.0} {:>8.2} {:>8.2} {:>8.2} {:>7.1} {:>6.0}  {ratio:<20} {target}",
            self.case.name(),
            self.subject,
            self.requests_per_second,
            self.p50_us / 1000.0,
            self.p99_us / 1000.0,
            self.cpu_us,
            self.resident_mb,
            self.answer_bytes,
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
    fn of(case: Case, subject: &'static str, samples: &[Sample]) -> Option<Self> {
        let own: Vec<_> = turns(samples, case, subject).collect();
        let median = |value: fn(&Sample) -> f64| Some(Spread::of(own.iter().map(|sample| value(sample)))?.median);
        Some(Self {
            case,
            subject,
            requests_per_second: median(|sample| sample.requests_per_second)?,
            p50_us: median(|sample| sample.p50_us)?,
            p99_us: median(|sample| sample.p99_us)?,
            cpu_us: median(|sample| sample.cpu_us)?,
            resident_mb: median(|sample| sample.resident_mb)?,
            answer_bytes: median(|sample| sample.answer_bytes)?,
            ratio: if subject == LIMIT { None } else { ratio(&own, samples) },
        })
    }

    fn json(&self) -> Value {
        json!({
            "case": self.case.name(),
            "server": self.subject,
            "requestsPerSecond": self.requests_per_second,
            "p50Us": self.p50_us,
            "p99Us": self.p99_us,
            "cpuUs": self.cpu_us,
            "residentMb": self.resident_mb,
            "answerBytes": self.answer_bytes,
            "ratio": self.ratio.map(|ratio| json!({"median": ratio.median, "least": ratio.least, "most": ratio.most})),
            "target": target(self.case, self.subject),
        })
    }
}

impl Spread {
    /// Of at least one value.
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<_> = values.collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
        Some(Self { median, least, most })
    }
}

fn rows(samples: &[Sample]) -> Vec<Row> {
    let mut seen = Vec::new();
    for place in samples.iter().map(|sample| (sample.case, sample.subject)) {
        if !seen.contains(&place) {
            seen.push(place);
        }
    }
    seen.into_iter().filter_map(|(case, subject)| Row::of(case, subject, samples)).collect()
}

fn turns<'a>(samples: &'a [Sample], case: Case, subject: &str) -> impl Iterator<Item = &'a Sample> {
    samples.iter().filter(move |sample| sample.case == case && sample.subject == subject)
}

/// CPU time against the limit server's of the same round: the speed of the machine drifts between rounds.
fn ratio(own: &[&Sample], samples: &[Sample]) -> Option<Spread> {
    Spread::of(own.iter().filter_map(|sample| {
        let limit = turns(samples, sample.case, LIMIT).find(|limit| limit.round == sample.round)?;
        Some(sample.cpu_us / limit.cpu_us)
    }))
}

/// The ratio that we want to stay under.
fn target(case: Case, subject: &str) -> Option<f64> {
    match (case, subject) {
        (Case::Token(Algorithm::Es256), PROCESS) => Some(1.35),
        (Case::Token(Algorithm::EdDsa), PROCESS) => Some(1.45),
        (Case::Token(Algorithm::Rs256), PROCESS) => Some(1.1),
        (Case::Gate, PROCESS) => Some(1.6),
        (Case::GateBasic | Case::GateApiToken, PROCESS) => Some(1.7),
        _ => None,
    }
}

fn sample_json(sample: &Sample) -> Value {
    json!({
        "case": sample.case.name(),
        "server": sample.subject,
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
            sample(Case::Gate, LIMIT, 1, 7.0),
            sample(Case::Gate, PROCESS, 1, 10.5),
            sample(Case::Gate, LIMIT, 2, 14.0),
            sample(Case::Gate, PROCESS, 2, 21.0),
        ];
        let rows = rows(&samples);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].ratio, None);
        assert_eq!(rows[1].ratio, Some(Spread { median: 1.5, least: 1.5, most: 1.5 }));
    }

    #[test]
    fn a_row_shows_ratio_and_target() {
        let samples = [
            sample(Case::Token(Algorithm::Es256), LIMIT, 1, 24.0),
            sample(Case::Token(Algorithm::Es256), PROCESS, 1, 30.0),
        ];
        let row = rows(&samples)[1].to_string();
        assert!(row.starts_with("token ES256 by Basic"), "{row}");
        assert!(row.contains("30.00"), "{row}");
        assert!(row.ends_with("1.25 (1.25–1.25)     1.35"), "{row}");
    }
}
