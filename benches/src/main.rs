//! Measures Tollgate against the limit server, interleaved, on the machine at hand.
//!
//! ```sh
//! cargo run --release -p tollgate-bench
//! ```
//!
//! builds both, starts them pinned to core 0, loads them in turn with wrk pinned to core 1, and prints what a request
//! costs each in CPU time. The speed of a machine drifts; the ratio of two servers that ran within the same seconds
//! does not, so the ratio is the result. `benches/README.md` says how to read it.

#![expect(clippy::print_stdout, reason = "the table is what this program prints")]

mod comparison;
mod fill;
mod http;
mod load;
mod machine;
mod nginx;
mod once;
mod open_loop;
mod origin;
mod pages;
mod peer;
mod postgres;
mod process;
mod programs;
mod report;
mod rounds;
mod servers;
mod subject;
mod tollgate;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::once::Once;
use crate::programs::Programs;
use crate::report::Report;
use crate::rounds::Sample;
use crate::servers::Servers;

/// What the runner can be told.
#[derive(Parser)]
#[command(
    name = "tollgate-bench",
    about = "Measures Tollgate against the limit server, interleaved: cargo run --release -p tollgate-bench",
    after_help = "Needs Linux, two cores, wrk and PostgreSQL, and for --full nginx (apt-get install wrk postgresql nginx-light). \
                  Close everything else that computes: the two cores are the whole laboratory. Exits with 1 if any answer was \
                  an error or a call was not counted."
)]
struct Options {
    /// Smoke run: one round, 1 s of warm-up and 1 s measured. Its figures mean nothing.
    #[arg(long)]
    quick: bool,
    /// The whole grid: 1,000,000 keys, 10,000,000 rows of usage, nginx, a fixed rate, the time of a start, five minutes for memory.
    #[arg(long)]
    full: bool,
    /// What has a target, at every scale, and nothing else: a quarter of an hour.
    #[arg(long, conflicts_with_all = ["full", "only"])]
    targets: bool,
    /// Only the cases whose name holds this, and nothing beside them.
    #[arg(long, default_value = "")]
    only: String,
    /// Measures the dashboard's pages instead: 1,000 keys, a year of usage.
    #[arg(long, conflicts_with = "quick")]
    pages: bool,
    /// How often each server takes its turn.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds measured per turn.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Seconds of load before them.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    warm_up: u32,
    /// Connections that are kept open, where the case does not say how many.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// File for the figures, every single one of them [default: bench.json in the target directory].
    #[arg(long)]
    output: Option<PathBuf>,
    /// The load at a fixed rate, which this program starts for itself.
    #[arg(long, num_args = 5, hide = true)]
    open_loop: Option<Vec<String>>,
}

impl Options {
    fn parsed() -> Self {
        let mut options = Self::parse();
        if options.quick {
            options.rounds = 1;
            options.warm_up = 1;
            options.seconds = 1;
        }
        options
    }
}

fn main() -> ExitCode {
    let options = Options::parsed();
    let done = match &options.open_loop {
        Some(arguments) => open_loop::main(arguments),
        None => run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tollgate-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    programs::require_tools()?;
    let programs = Programs::build()?;
    let work = programs.target.join("bench");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("cannot empty {}", work.display()))?;
    }
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let logs = || format!("the logs are in {}", work.display());
    if options.pages {
        let table = pages::run(&programs.tollgate, &work).with_context(logs)?;
        print!("{}\n{table}", origin::lines(&origin::of(options)));
        return Ok(());
    }
    let report = measured(&programs, options, &work).with_context(logs)?;
    print!("\n{report}");
    let output = options.output.clone().unwrap_or_else(|| programs.target.join("bench.json"));
    fs::write(&output, format!("{:#}\n", report.json()))
        .with_context(|| format!("cannot write {}", output.display()))?;
    println!("\nevery figure: {}", output.display());
    Ok(())
}

/// Starts everything, lets it take its turns, and sees to it that every call was counted.
fn measured(programs: &Programs, options: &Options, work: &Path) -> anyhow::Result<Report> {
    let mut servers = Servers::start(programs, work, options.full || options.targets)?;
    let mut comparisons = comparison::all(&servers, options.connections);
    comparisons.retain(|comparison| comparison.name.contains(&options.only));
    comparisons.retain(|comparison| !options.targets || comparison.has_target());
    let samples = rounds::run(&comparisons, options, work)?;
    for tollgate in servers.counting() {
        tollgate.require_count(rounds::let_through(&comparisons, &samples, tollgate.subject.name))?;
    }
    let most = |name: &str| {
        let of = |sample: &&Sample| comparisons[sample.place.0].players[sample.place.1].subject.name == name;
        samples.iter().filter(of).map(|sample| sample.resident_mb).fold(0.0, f64::max)
    };
    let mut figures =
        once::memory(&servers.process, most(servers.disk.subject.name), most(servers.process.subject.name));
    if let Some(full) = servers.full.as_ref().filter(|_| options.only.is_empty()) {
        figures.push(once::per_key(&full.keys)?);
        figures.extend(once::open_loop(&servers.process, options)?);
        if options.full {
            figures.push(once::growth(&servers.process, options, work)?);
        }
    }
    let mut report = Report::new(options, &comparisons, &samples, figures);
    drop(comparisons);
    if options.only.is_empty() {
        report.add(starts(&mut servers)?);
    }
    Ok(report)
}

fn starts(servers: &mut Servers) -> anyhow::Result<Vec<Once>> {
    let Some(full) = &mut servers.full else { return Ok(Vec::new()) };
    Ok(vec![
        once::start(&mut servers.process, "the database of this run", Some(150.0))?,
        once::start(&mut full.keys, "1,000,000 keys", Some(150.0))?,
        once::start(&mut full.rows, "10,000,000 rows of usage", Some(150.0))?,
    ])
}
