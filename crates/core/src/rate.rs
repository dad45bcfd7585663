//! Rate limits by the generic cell rate algorithm: one number per limited thing, no timers, no locks.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::Timestamp;

/// So many at once, then so many a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once after a quiet time.
    pub burst: u32,
    /// How many a second may go on coming. 0 switches the limit off.
    pub per_second: u32,
}

/// One limited thing: the instant, in microseconds, at which its budget is full again.
#[derive(Debug, Default)]
pub struct Budget(AtomicI64);

impl Budget {
    /// Takes one from the budget.
    ///
    /// # Errors
    /// Nothing is left; the number is how many whole seconds to wait, at least 1.
    pub fn take(&self, rate: Rate, now: Timestamp) -> Result<(), u32> {
        if rate.per_second == 0 {
            return Ok(());
        }
        let cost = 1_000_000 / i64::from(rate.per_second);
        let depth = cost * i64::from(rate.burst.max(1));
        let mut full_at = self.0.load(Ordering::Relaxed);
        loop {
            // A clock that was set back must not leave a budget empty for longer than it takes to refill.
            let start = full_at.clamp(now.0, now.0 + depth);
            let spent = start + cost > now.0 + depth;
            let next = if spent { start } else { start + cost };
            match self.0.compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) if spent => {
                    let wait = start + cost - depth - now.0;
                    return Err(u32::try_from(wait.div_euclid(1_000_000) + 1).unwrap_or(u32::MAX));
                }
                Ok(_) => return Ok(()),
                Err(seen) => full_at = seen,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, per_second: 2 };

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let budget = Budget::default();
        let now = Timestamp::from_seconds(100);
        for _ in 0..3 {
            assert_eq!(budget.take(RATE, now), Ok(()));
        }
        assert_eq!(budget.take(RATE, now), Err(1));
        assert_eq!(budget.take(RATE, Timestamp(now.0 + 500_000)), Ok(()));
        assert!(budget.take(RATE, Timestamp(now.0 + 500_000)).is_err());
    }

    #[test]
    fn a_clock_set_back_does_not_lock_anybody_out() {
        let budget = Budget::default();
        let later = Timestamp::from_seconds(10_000);
        while budget.take(RATE, later).is_ok() {}
        let earlier = Timestamp::from_seconds(100);
        assert!(budget.take(RATE, earlier).is_err());
        assert_eq!(budget.take(RATE, earlier.plus_seconds(1)), Ok(()));
    }

    #[test]
    fn zero_switches_the_limit_off() {
        let budget = Budget::default();
        let off = Rate { burst: 1, per_second: 0 };
        assert!((0..1_000).all(|_| budget.take(off, Timestamp(0)).is_ok()));
    }
}
