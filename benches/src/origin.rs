//! Where a figure comes from: without its command, its machine and its date it is not a result.

use std::env;
use std::fs;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use crate::Options;

/// Date, command, machine and commit of this run.
#[expect(clippy::disallowed_methods, reason = "a result carries the date of the day")]
pub(crate) fn of(options: &Options) -> Value {
    let arguments = env::args().skip(1).map(|argument| format!(" {argument}")).collect::<String>();
    let separator = if arguments.is_empty() { "" } else { " --" };
    json!({
        "date": jiff::Timestamp::now().to_string(),
        "command": format!("cargo run --release -p tollgate-bench{separator}{arguments}"),
        "machine": machine(),
        "commit": commit(),
        "rounds": options.rounds,
        "warmUpSeconds": options.warm_up,
        "seconds": options.seconds,
        "connections": options.connections,
    })
}

/// The same, to read.
pub(crate) fn lines(origin: &Value) -> String {
    let line = |field| format!("{field}: {}\n", origin[field].as_str().unwrap_or("unknown"));
    ["date", "command", "machine", "commit"].map(line).concat()
}

fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {model}, Linux {}", kernel.trim())
}

/// The commit that was measured, with a mark if files differ from it. Nothing outside a repository.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    let clean = git(&["status", "--porcelain"])?.is_empty();
    Some(if clean { commit } else { commit + " and changes" })
}
