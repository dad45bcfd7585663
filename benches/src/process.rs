//! A server process on its core: started, observed, ended.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

/// The core of the servers.
pub(crate) const SERVER_CORE: &str = "0";
/// The core of the load.
pub(crate) const LOAD_CORE: &str = "1";

/// Linux reports CPU time to programs in hundredths of a second, whatever the kernel's own tick is.
pub(crate) const MICROSECONDS_PER_TICK: u64 = 10_000;
const PATIENCE: Duration = Duration::from_millis(50);
const ATTEMPTS: u32 = 400;

/// A running server. Dropping it ends it.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts `program` on the servers' core; both of its outputs go to the file `log`.
    pub(crate) fn start<A: AsRef<OsStr>>(program: &Path, arguments: &[A], log: &Path) -> anyhow::Result<Self> {
        let out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        // taskset replaces itself by the program, so the process id stays the same.
        let child = Command::new("taskset")
            .args(["-c", SERVER_CORE])
            .arg(program)
            .args(arguments)
            .stderr(out.try_clone()?)
            .stdout(out)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child })
    }

    /// Waits until `probe` has an answer; gives up when the process ends or after 20 s.
    pub(crate) fn wait_for<T>(&mut self, what: &str, mut probe: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
        for _ in 0..ATTEMPTS {
            if let Some(found) = probe() {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{what} ended at its start: {status}");
            }
            thread::sleep(PATIENCE);
        }
        bail!("{what} is not ready after {:?}", PATIENCE * ATTEMPTS)
    }

    /// CPU time spent so far, user and system, in microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<u64> {
        let stat = self.proc("stat")?;
        Ok(ticks(&stat, OWN).context("/proc/PID/stat has no CPU time")? * MICROSECONDS_PER_TICK)
    }

    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> anyhow::Result<u64> {
        let status = self.proc("status")?;
        resident(&status).context("/proc/PID/status has no VmRSS")
    }

    fn proc(&self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }
}

impl Process {
    /// Kills it.
    pub(crate) fn end(&mut self) {
        // It may have ended by itself; nothing is left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// CPU time of our own children that have ended, in microseconds: the load is one of them.
pub(crate) fn children_cpu_us() -> anyhow::Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
    Ok(ticks(&stat, CHILDREN).context("/proc/self/stat has no CPU time")? * MICROSECONDS_PER_TICK)
}

/// Where `utime` stands after the name in `/proc/PID/stat`; `stime` follows.
const OWN: usize = 11;
/// Where `cutime` stands after the name; `cstime` follows.
const CHILDREN: usize = 13;

/// User and system time of `/proc/PID/stat`. The name in parentheses may hold spaces and parentheses of its own.
fn ticks(stat: &str, first: usize) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(first);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// `VmRSS` of `/proc/PID/status` in KiB.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_user_and_system_whatever_the_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 90 0 0 0 137 320 5 6 20 0 1 0 1000 2000 300 0";
        assert_eq!(ticks(stat, OWN), Some(457));
        assert_eq!(ticks(stat, CHILDREN), Some(11));
    }

    #[test]
    fn a_stat_without_times_is_no_zero() {
        assert_eq!(ticks("42 (a) S 1 42", OWN), None);
        assert_eq!(ticks("", OWN), None);
    }

    #[test]
    fn resident_memory_is_the_line_of_that_name() {
        let status = "Name:\ttollgate\nVmHWM:\t   20000 kB\nVmRSS:\t   11636 kB\nRssAnon:\t 4 kB\n";
        assert_eq!(resident(status), Some(11_636));
        assert_eq!(resident("Name:\ttollgate\n"), None);
    }
}
