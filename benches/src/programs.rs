//! The programs that a run needs: two that we build, two that the system brings.

use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, bail, ensure};

/// Where the built programs lie.
pub(crate) struct Programs {
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    pub(crate) tollgate: PathBuf,
    pub(crate) limit_server: PathBuf,
}

impl Programs {
    /// Builds both servers into the target directory that this program came from.
    pub(crate) fn build() -> anyhow::Result<Self> {
        let own = env::current_exe().context("cannot tell where this program lies")?;
        let target = own.ancestors().nth(2).context("this program lies outside a target directory")?.to_owned();
        let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--release", "--target-dir"])
            .arg(&target)
            .args(["-p", "tollgate-cli", "--bin", "tollgate", "-p", "tollgate-bench", "--bin", "limit-server"])
            .status()
            .context("cannot start cargo")?;
        ensure!(status.success(), "the build failed");
        let release = target.join("release");
        Ok(Self { tollgate: release.join("tollgate"), limit_server: release.join("limit-server"), target })
    }
}

/// Fails with what to do unless the machine can run the benchmark.
pub(crate) fn require_tools() -> anyhow::Result<()> {
    ensure!(Path::new("/proc/self/stat").exists(), "the benchmark reads CPU time from /proc: it needs Linux");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    ensure!(cores >= 2, "the benchmark needs two cores, one for the server and one for the load");
    require("wrk", "--version", "apt-get install wrk")?;
    require("taskset", "--version", "apt-get install util-linux")
}

fn require(tool: &str, argument: &str, remedy: &str) -> anyhow::Result<()> {
    let tried = Command::new(tool).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match tried {
        // wrk leaves with 1 after it printed its version: that it started is enough.
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("{tool} is missing: {remedy}"),
        Err(error) => Err(error).with_context(|| format!("cannot start {tool}")),
    }
}
