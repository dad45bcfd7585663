//! What the whole machine did during a turn: others who compute spoil the figures, and the report says so.

use std::fs;

use anyhow::Context;

use crate::process::MICROSECONDS_PER_TICK;

/// CPU time of all cores, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    busy: u64,
    all: u64,
}

impl Machine {
    /// Since the machine was started.
    pub(crate) fn now() -> anyhow::Result<Self> {
        let stat = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
        Self::parse(&stat).context("/proc/stat has no CPU time")
    }

    /// From an earlier moment to this one.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self { busy: self.busy - earlier.busy, all: self.all - earlier.all }
    }

    /// The share that was spent on something else than `ours`.
    pub(crate) fn foreign(self, ours: u64) -> f64 {
        self.busy.saturating_sub(ours) as f64 / self.all.max(1) as f64
    }

    /// The first line: user, nice, system, idle, iowait, irq, softirq and steal, then what is counted in them already.
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        let fields = line.split_ascii_whitespace().take(8).map(|field| field.parse().ok());
        let fields = fields.collect::<Option<Vec<u64>>>()?;
        let idle = fields.get(3)? + fields.get(4)?;
        let all: u64 = fields.iter().sum();
        Some(Self { busy: (all - idle) * MICROSECONDS_PER_TICK, all: all * MICROSECONDS_PER_TICK })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_are_not_busy_but_steal_is() {
        let machine = Machine::parse("cpu  10 20 30 400 500 1 2 7 99 99\ncpu0 1 1 1 1\n");
        assert_eq!(machine, Some(Machine { busy: 700_000, all: 9_700_000 }));
        assert_eq!(Machine::parse("cpu  10 x\n"), None);
    }

    #[test]
    fn what_is_not_ours_is_foreign() {
        let turn = Machine { busy: 900, all: 1100 }.since(Machine { busy: 100, all: 100 });
        assert!((turn.foreign(700) - 0.1).abs() < 1e-9);
        assert!(turn.foreign(900).abs() < 1e-9);
    }
}
