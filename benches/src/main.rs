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

mod http;
mod load;
mod machine;
mod origin;
mod pages;
mod process;
mod programs;
mod report;
mod rounds;
mod subject;
mod tollgate;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tollgate_bench::Algorithm;

use crate::programs::Programs;
use crate::report::Report;
use crate::tollgate::{Durability, Tollgate};

/// What the runner can be told.
#[derive(Parser)]
#[command(
    name = "tollgate-bench",
    about = "Measures Tollgate against the limit server, interleaved: cargo run --release -p tollgate-bench",
    after_help = "Needs Linux, two cores and wrk (apt-get install wrk). Close everything else that computes: the two \
                  cores are the whole laboratory. Exits with 1 if any answer was an error or a call was not counted."
)]
struct Options {
    /// Smoke run: one round, 1 s of warm-up and 2 s measured. Its figures mean nothing.
    #[arg(long)]
    quick: bool,
    /// Measures the dashboard's pages instead: 1,000 keys, a year of usage.
    #[arg(long, conflicts_with = "quick")]
    pages: bool,
    /// How often each server takes its turn.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds measured per turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Seconds of load before them.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    warm_up: u32,
    /// Connections that are kept open.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// Algorithm that signs the tokens.
    #[arg(long, value_enum, default_value_t = Algorithm::Es256)]
    algorithm: Algorithm,
    /// File for the figures, every single one of them [default: bench.json in the target directory].
    #[arg(long)]
    output: Option<PathBuf>,
}

impl Options {
    fn parsed() -> Self {
        let mut options = Self::parse();
        if options.quick {
            options.rounds = 1;
            options.warm_up = 1;
            options.seconds = 2;
        }
        options
    }
}

fn main() -> ExitCode {
    match run(Options::parsed()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tollgate-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> anyhow::Result<()> {
    programs::require_tools()?;
    let programs = Programs::build()?;
    let work = programs.target.join("bench");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("cannot empty {}", work.display()))?;
    }
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    if options.pages {
        let table =
            pages::run(&programs.tollgate, &work).with_context(|| format!("the logs are in {}", work.display()))?;
        let origin = origin::of(&options);
        for field in ["date", "command", "machine", "commit"] {
            println!("{field}: {}", origin[field].as_str().unwrap_or("unknown"));
        }
        print!("\n{table}");
        return Ok(());
    }

    let logs = || format!("the logs are in {}", work.display());
    let limit = subject::limit_server(&programs.limit_server, &work, options.algorithm).with_context(logs)?;
    let tollgates = Durability::ALL
        .map(|durability| Tollgate::start(&programs.tollgate, &work, durability, options.algorithm))
        .into_iter()
        .collect::<anyhow::Result<Vec<_>>>()
        .with_context(logs)?;
    let samples = rounds::run(&limit, &tollgates, &options, &work).with_context(logs)?;
    for tollgate in &tollgates {
        tollgate.require_count(rounds::let_through(&samples, tollgate.subject.name))?;
    }

    let report = Report::new(&options, samples);
    print!("\n{report}");
    let output = options.output.unwrap_or_else(|| programs.target.join("bench.json"));
    fs::write(&output, format!("{:#}\n", report.json()))
        .with_context(|| format!("cannot write {}", output.display()))?;
    println!("\nevery figure: {}", output.display());
    Ok(())
}
