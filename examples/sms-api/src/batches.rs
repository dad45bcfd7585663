//! The batches that are remembered: in memory, the newest of each account, within bounds.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tollgate_core::{Random, Timestamp};

use crate::batch::Batch;
use crate::gate::Caller;

/// What one account may take up, and how many accounts are remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) batches: usize,
    pub(crate) bytes: usize,
    pub(crate) accounts: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { batches: 1_000, bytes: 4 << 20, accounts: 64 }
    }
}

/// All batches.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    accounts: Mutex<HashMap<String, Kept>>,
    bounds: Bounds,
}

/// The batches of an account, the oldest first.
#[derive(Debug, Default)]
struct Kept {
    batches: VecDeque<Batch>,
    bytes: usize,
}

impl Batches {
    #[cfg(test)]
    pub(crate) fn within(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// Remembers a batch. The oldest of the account go when there are too many.
    pub(crate) fn keep(&self, caller: &Caller, batch: Batch) {
        let mut accounts = self.lock();
        if !accounts.contains_key(&caller.account) && accounts.len() >= self.bounds.accounts {
            let newest = |kept: &Kept| kept.batches.back().map(|batch| batch.created);
            let quietest = accounts.iter().min_by_key(|(_, kept)| newest(kept)).map(|(account, _)| account.clone());
            if let Some(quietest) = quietest {
                accounts.remove(&quietest);
            }
        }
        let kept = accounts.entry(caller.account.clone()).or_default();
        kept.bytes += batch.bytes();
        kept.batches.push_back(batch);
        while kept.batches.len() > self.bounds.batches || (kept.bytes > self.bounds.bytes && kept.batches.len() > 1) {
            if let Some(oldest) = kept.batches.pop_front() {
                kept.bytes -= oldest.bytes();
            }
        }
    }

    /// Does something with a batch of the caller's; `None` for an unknown id and for anybody else's.
    pub(crate) fn with<T>(&self, caller: &Caller, id: &str, work: impl FnOnce(&mut Batch) -> T) -> Option<T> {
        let mut accounts = self.lock();
        let kept = accounts.get_mut(&caller.account)?;
        let batch = kept.batches.iter_mut().find(|batch| batch.id == id && batch.owner == caller.owner())?;
        Some(work(batch))
    }

    /// The caller's batches that fit, the newest first.
    pub(crate) fn list(&self, caller: &Caller, fits: impl Fn(&Batch) -> bool) -> Vec<Batch> {
        let accounts = self.lock();
        let Some(kept) = accounts.get(&caller.account) else { return Vec::new() };
        kept.batches.iter().rev().filter(|batch| batch.owner == caller.owner() && fits(batch)).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A ULID: 48 bits of milliseconds and 80 of chance, as 26 characters that sort by time.
pub(crate) fn ulid(now: Timestamp, random: &dyn Random) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut chance = [0; 16];
    random.fill(&mut chance[6..]);
    let milliseconds = u128::from(u64::try_from(now.0 / 1_000).unwrap_or(0)) & ((1 << 48) - 1);
    let number = milliseconds << 80 | u128::from_be_bytes(chance);
    (0..26).rev().map(|place| char::from(DIGITS[(number >> (5 * place)) as usize & 31])).collect()
}

#[cfg(test)]
#[path = "batches_tests.rs"]
mod tests;
