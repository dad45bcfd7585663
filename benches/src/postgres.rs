//! A PostgreSQL server of our own, on the core of the load: its work is not what is measured.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};

use crate::process::LOAD_CORE;

/// Where Debian keeps the servers, one directory per version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The same that the server's own tests use, from this package's directory.
const SCRIPT: &str = "../crates/server/tests/it/postgres.sh";

/// A server that runs until it is dropped.
pub(crate) struct Postgres {
    /// URL of its database.
    pub(crate) url: String,
    script: Child,
}

impl Postgres {
    /// Starts it, as durable as a real one.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let programs = programs().context("the PostgreSQL server programs are missing: apt-get install postgresql")?;
        let mut script = Command::new("taskset")
            .args(["-c", LOAD_CORE, "sh", SCRIPT])
            .arg(programs)
            .arg("on")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start sh")?;
        let mut said = String::new();
        let words = script.stdout.take().context("no output of the script")?;
        BufReader::new(words).read_line(&mut said)?;
        let Some(directory) = said.trim_end().strip_prefix("ready ") else { bail!("PostgreSQL: {said}") };
        Ok(Self { url: format!("postgres:///postgres?host={directory}&user=postgres"), script })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The end of its input is the end of the server; it may have ended already.
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

/// The directory of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(Path::new(DEBIAN)).ok()?.filter_map(Result::ok);
    let newest = versions.max_by_key(|version| version.file_name().to_string_lossy().parse::<u32>().ok())?;
    Some(newest.path().join("bin"))
}
