//! What is measured once in a run, beside the turns: memory, its growth, the time of a start, and waiting at a fixed rate.

use std::fmt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use crate::Options;
use crate::load::{Load, Runner};
use crate::open_loop;
use crate::report::Spread;
use crate::servers::MANY_KEYS;
use crate::tollgate::{Tollgate, is_ready};

/// How often a start is measured.
const STARTS: usize = 7;
/// Tokens per second of the fixed rate.
const RATE: u32 = 10_000;
/// Turns of half a minute, gate and tokens, between which memory is read.
const GROWTH_TURNS: usize = 10;

/// One figure with its unit, and what it is to stay below.
pub(crate) struct Once {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: Option<f64>,
}

impl fmt::Display for Once {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:<70} {:>8.1} {:<5}", self.name, self.value, self.unit)?;
        match self.target {
            Some(target) if self.value <= target => write!(out, " ≤ {target:.0}"),
            Some(target) => write!(out, " ≤ {target:.0} missed"),
            None => Ok(()),
        }
    }
}

impl Once {
    pub(crate) fn json(&self) -> Value {
        json!({ "name": self.name, "value": self.value, "unit": self.unit, "target": self.target })
    }

    fn new(name: impl Into<String>, value: f64, unit: &'static str, target: Option<f64>) -> Self {
        Self { name: name.into(), value, unit, target }
    }
}

/// What is known without further load: the most that the servers used in their turns, in MB. `calls` is one with a few keys and
/// tokens, `tokens` one that remembers as many verified tokens as it may.
pub(crate) fn memory(process: &Tollgate, calls: f64, tokens: f64) -> Vec<Once> {
    vec![
        Once::new("memory when idle", process.idle_kib as f64 / 1024.0, "MB", Some(25.0)),
        Once::new("memory under load, up to 256 connections", calls, "MB", Some(50.0)),
        Once::new("memory under load, 100,000 verified tokens remembered", tokens, "MB", None),
    ]
}

/// What a known key takes when all are known and have been used.
pub(crate) fn per_key(keys: &Tollgate) -> anyhow::Result<Once> {
    let grown = keys.subject.process.resident_kib()?.saturating_sub(keys.idle_kib);
    let bytes = grown as f64 * 1024.0 / f64::from(MANY_KEYS);
    Ok(Once::new("memory per known key, of 1,000,000", bytes, "bytes", Some(300.0)))
}

/// From the start of the process to its first good answer, with the database of the run, after it was killed.
pub(crate) fn start(tollgate: &mut Tollgate, what: &str, target: Option<f64>) -> anyhow::Result<Once> {
    let mut took = Vec::new();
    for _ in 0..STARTS {
        let began = now();
        tollgate.restart(|address| {
            // Asked often: the answer is exact to a millisecond or two.
            while began.elapsed() < Duration::from_secs(2) {
                if is_ready(address) {
                    return true;
                }
                thread::sleep(Duration::from_millis(1));
            }
            false
        })?;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let spread = Spread::of(took.into_iter()).context("no start")?;
    Ok(Once::new(format!("start to ready, {what}"), spread.median, "ms", target))
}

/// Tokens at a fixed rate: what a client waits, counted from the moment at which it wanted to ask.
pub(crate) fn open_loop(tollgate: &Tollgate, options: &Options) -> anyhow::Result<Vec<Once>> {
    let request = tollgate.access.token_request();
    let waits = open_loop::run(&tollgate.subject.address, &request, RATE, options.connections, 10)?;
    let name = |part| format!("{part} of a token at {RATE}/s, open loop");
    Ok(vec![
        Once::new(name("p50"), waits.p50_us / 1000.0, "ms", None),
        Once::new(name("p99"), waits.p99_us / 1000.0, "ms", Some(3.0)),
    ])
}

/// Five minutes of calls and tokens in turn: how much memory comes to what the first minute took, for each million requests.
pub(crate) fn growth(tollgate: &Tollgate, options: &Options, work: &Path) -> anyhow::Result<Once> {
    let runner = Runner { address: &tollgate.subject.address, work, connections: options.connections };
    let loads = [tollgate.access.gate(), tollgate.access.token_request()].map(Load::of);
    let (mut requests, mut warm, mut last) = (0, 0.0, 0.0);
    for turn in 0..GROWTH_TURNS {
        for load in &loads {
            requests += runner.run(load, 15)?.requests;
        }
        last = tollgate.subject.process.resident_kib()? as f64 / 1024.0;
        println!("memory {last:.1} MB after {requests} requests");
        if turn == 1 {
            (requests, warm) = (0, last);
        }
    }
    let growth = (last - warm) * 1e6 / requests as f64;
    Ok(Once::new("memory that comes with 1,000,000 requests, after a minute", growth, "MB", Some(1.0)))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_misses_its_target_says_so() {
        let start = |value| Once::new("start to ready", value, "ms", Some(150.0)).to_string();
        assert!(start(149.0).ends_with("≤ 150"));
        assert!(start(151.0).ends_with("≤ 150 missed"));
    }
}
