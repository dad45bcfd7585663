//! The turns: each server is loaded right after the one that it is compared with.

use std::path::Path;

use anyhow::Context;

use crate::Options;
use crate::load;
use crate::machine::Machine;
use crate::process;
use crate::subject::{Case, Subject};
use crate::tollgate::Tollgate;

/// One turn of one server.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) case: Case,
    pub(crate) subject: &'static str,
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
pub(crate) fn run(
    limit: &Subject,
    tollgates: &[Tollgate],
    options: &Options,
    work: &Path,
) -> anyhow::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for round in 1..=options.rounds {
        for case in Case::all(options.algorithm) {
            let compared = tollgates.iter().filter(|tollgate| tollgate.plays(case)).map(|tollgate| &tollgate.subject);
            for subject in std::iter::once(limit).chain(compared) {
                let turn = || format!("round {round}, {}, {}", case.name(), subject.name);
                let sample = measure(case, subject, round, options, work).with_context(turn)?;
                println!(
                    "round {round}/{}  {:<32} {:<18} {:>8.0} requests/s  {:>6.2} µs CPU",
                    options.rounds,
                    case.name(),
                    subject.name,
                    sample.requests_per_second,
                    sample.cpu_us,
                );
                samples.push(sample);
            }
        }
    }
    Ok(samples)
}

/// How many calls the gate of `subject` has let through, as far as the load has seen.
pub(crate) fn let_through(samples: &[Sample], subject: &str) -> u64 {
    let of_gate = samples.iter().filter(|sample| sample.case.is_gate() && sample.subject == subject);
    of_gate.map(|sample| sample.answered).sum()
}

fn measure(case: Case, subject: &Subject, round: u32, options: &Options, work: &Path) -> anyhow::Result<Sample> {
    let request = subject.request(case);
    let script = work.join("load.lua");
    let load = |seconds| load::run(subject.address(), &request, &script, options.connections, seconds);
    let warm_up = load(options.warm_up)?;
    let (machine, load_cpu, server) = (Machine::now()?, process::children_cpu_us()?, subject.process.cpu_us()?);
    let figures = load(options.seconds)?;
    let cpu = subject.process.cpu_us()? - server;
    let load_cpu = process::children_cpu_us()? - load_cpu;
    let requests = figures.requests as f64;
    Ok(Sample {
        case,
        subject: subject.name,
        round,
        requests_per_second: requests * 1e6 / figures.duration_us as f64,
        p50_us: figures.p50_us as f64,
        p99_us: figures.p99_us as f64,
        cpu_us: cpu as f64 / requests,
        resident_mb: subject.process.resident_kib()? as f64 / 1024.0,
        answer_bytes: figures.bytes as f64 / requests,
        foreign: Machine::now()?.since(machine).foreign(cpu + load_cpu),
        answered: warm_up.requests + figures.requests,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use tollgate_bench::Algorithm;

    use super::*;

    /// A sample of which only its place and its cost matter.
    pub(crate) fn sample(case: Case, subject: &'static str, round: u32, cpu_us: f64) -> Sample {
        Sample {
            case,
            subject,
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

    #[test]
    fn only_calls_at_the_gate_of_one_server_were_let_through_there() {
        let samples = [
            sample(Case::Gate, "a", 1, 7.0),
            sample(Case::Token(Algorithm::Es256), "a", 1, 24.0),
            sample(Case::Gate, "b", 1, 7.0),
            sample(Case::Gate, "a", 2, 7.0),
        ];
        assert_eq!(let_through(&samples, "a"), 2000);
    }
}
