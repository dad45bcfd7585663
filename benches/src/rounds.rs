//! The turns: each server is loaded right after the one that it is compared with.

use std::path::Path;

use anyhow::Context;

use crate::Options;
use crate::comparison::{Comparison, Player};
use crate::load::{Runner, Variation};
use crate::machine::Machine;
use crate::process;

/// At least so many keys are read from a file in a second.
const KEYS_PER_SECOND: u32 = 15_000;

/// One turn of one server.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Place of the comparison, and of the player in it.
    pub(crate) place: (usize, usize),
    pub(crate) round: u32,
    pub(crate) requests_per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// CPU time of the server per request, user and system.
    pub(crate) cpu_us: f64,
    /// Resident memory at the end of the turn.
    pub(crate) resident_mb: f64,
    /// Length of an answer, headers included.
    pub(crate) answer_bytes: f64,
    /// Share of the machine's CPU time that neither the server nor the load used, but others.
    pub(crate) foreign: f64,
    /// All that was answered in the turn, warm-up included.
    pub(crate) answered: u64,
}

/// Runs all rounds, with a line of progress for each turn.
pub(crate) fn run(comparisons: &[Comparison<'_>], options: &Options, work: &Path) -> anyhow::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for round in 1..=options.rounds {
        for (at, comparison) in comparisons.iter().enumerate() {
            for (place, player) in comparison.players.iter().enumerate() {
                let turn = || format!("round {round}, {}, {}", comparison.name, player.label);
                let runner = Runner { address: &player.subject.address, work, connections: comparison.connections };
                let sample = measure(&runner, player, (at, place), round, options).with_context(turn)?;
                println!(
                    "round {round}/{}  {:<42} {:<27} {:>8.0} requests/s  {:>7.2} µs CPU",
                    options.rounds, comparison.name, player.label, sample.requests_per_second, sample.cpu_us,
                );
                samples.push(sample);
            }
        }
    }
    Ok(samples)
}

/// How many calls the server of that name has let through, as far as the load has seen.
pub(crate) fn let_through(comparisons: &[Comparison<'_>], samples: &[Sample], subject: &str) -> u64 {
    let player = |sample: &Sample| &comparisons[sample.place.0].players[sample.place.1];
    let counted = samples.iter().filter(|sample| player(sample).counted && player(sample).subject.name == subject);
    counted.map(|sample| sample.answered).sum()
}

fn measure(
    runner: &Runner<'_>,
    player: &Player<'_>,
    place: (usize, usize),
    round: u32,
    options: &Options,
) -> anyhow::Result<Sample> {
    let (subject, mut warm_up) = (player.subject, options.warm_up);
    match &player.load.variation {
        Variation::FreshTokens { issued_by: request } => {
            // To issue a token is quicker than to verify it: there are enough. What is shown once is never seen before, so that
            // nothing is to be warmed up.
            runner.collect_tokens(request, options.warm_up + options.seconds)?;
            warm_up = 0;
        }
        // All keys have been read from the file before it is measured what it is to know them.
        Variation::Keys { count, .. } if round == 1 => warm_up = warm_up.max(count / KEYS_PER_SECOND),
        Variation::Keys { .. } | Variation::Same | Variation::Names => {}
    }
    let mut answered = 0;
    if warm_up > 0 {
        answered += runner.run(&player.load, warm_up)?.requests;
    }
    let (machine, load_cpu, server) = (Machine::now()?, process::children_cpu_us()?, subject.process.cpu_us()?);
    let figures = runner.run(&player.load, options.seconds)?;
    let cpu = subject.process.cpu_us()? - server;
    let load_cpu = process::children_cpu_us()? - load_cpu;
    let requests = figures.requests as f64;
    answered += figures.requests;
    Ok(Sample {
        place,
        round,
        requests_per_second: requests * 1e6 / figures.duration_us as f64,
        p50_us: figures.p50_us as f64,
        p99_us: figures.p99_us as f64,
        cpu_us: cpu as f64 / requests,
        resident_mb: subject.process.resident_kib()? as f64 / 1024.0,
        answer_bytes: figures.bytes as f64 / requests,
        foreign: Machine::now()?.since(machine).foreign(cpu + load_cpu),
        answered,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A sample of which only its place and its cost matter.
    pub(crate) fn sample(place: (usize, usize), round: u32, cpu_us: f64) -> Sample {
        Sample {
            place,
            round,
            requests_per_second: 1e6 / cpu_us,
            p50_us: 500.0,
            p99_us: 900.0,
            cpu_us,
            resident_mb: 5.0,
            answer_bytes: 390.0,
            foreign: 0.01,
            answered: 1000,
        }
    }
}
