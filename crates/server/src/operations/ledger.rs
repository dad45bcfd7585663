//! The ledger in memory: the open batch, and those who wait for it.
//!
//! [`Ledger::record`] adds a call to the open batch and waits until the batch is stored. One committer (see
//! `ledger_commit`) stores one batch after the other: group commit. Denials and last uses ride along without waiting.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use foldhash::fast::RandomState;
use tokio::sync::Notify;
use tollgate_core::id::SecretId;
use tollgate_core::{AccountId, CredentialId, KeyId, ProjectId, Timestamp};

use super::Client;
use super::directory::Whose;
use crate::store::StoreError;
use crate::store::ledger::DenialRow;

/// Denials that are remembered in full between two commits; more are only counted.
const OPEN_DENIALS: usize = 1_024;
/// Denied counters and last uses that wait for a commit; more are dropped, and the drop is counted. Calls are never dropped.
const OPEN_ENTRIES: usize = 100_000;
/// Characters that are kept of what a client calls itself.
const AGENT_LENGTH: usize = 200;

/// What a call is counted on, beside its hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Counter {
    pub(super) account: AccountId,
    pub(super) project: ProjectId,
    pub(super) credential: CredentialId,
    pub(super) product: u16,
}

impl Counter {
    pub(super) fn new(whose: Whose, product: u16) -> Self {
        let Whose { account, project, credential } = whose;
        Self { account, project, credential, product }
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) calls: i64,
    pub(super) denied: i64,
}

/// Whose last use is noted: a secret's or API token's, or a key's for calls with an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Touched {
    pub(super) secret: Option<SecretId>,
    pub(super) credential: CredentialId,
}

impl Touched {
    pub(super) fn secret(secret: SecretId, credential: CredentialId) -> Self {
        Self { secret: Some(secret), credential }
    }

    pub(super) fn key(key: KeyId) -> Self {
        Self { secret: None, credential: CredentialId::Key(key) }
    }
}

#[derive(Debug, Clone)]
pub(super) struct LastUse {
    pub(super) at: Timestamp,
    pub(super) address: String,
    pub(super) agent: String,
}

/// Calls and denials per counter and hour. The keys are ids of ours: a quick hash will do.
pub(super) type Sums = HashMap<(Counter, i64), Counts, RandomState>;
/// Last uses, of each the last.
pub(super) type Touches = HashMap<Touched, LastUse, RandomState>;

/// A batch: what is to be written, and the bell for those who wait.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) counts: Sums,
    pub(super) touches: Touches,
    pub(super) denials: Vec<DenialRow>,
    pub(super) bell: Arc<Bell>,
    /// The bell for those who want to read: it rings when this batch and those before it are in the counters, denials too.
    pub(super) readers: Option<Arc<Bell>>,
    /// How many wait for either bell.
    pub(super) waiting: usize,
}

/// Rings once, when what it stands for is done or given up.
#[derive(Default)]
pub(super) struct Bell {
    committed: OnceLock<bool>,
    notify: Notify,
}

impl Bell {
    pub(super) fn ring(&self, committed: bool) {
        // A batch is finished once; a second outcome would be a fault of the committer, and the first one stands.
        let _ = self.committed.set(committed);
        self.notify.notify_waiters();
    }

    async fn wait(&self) -> bool {
        let mut rung = pin!(self.notify.notified());
        rung.as_mut().enable();
        if let Some(&committed) = self.committed.get() {
            return committed;
        }
        rung.await;
        self.committed.get().copied().unwrap_or(false)
    }
}

/// What the ledger has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct LedgerNumbers {
    /// Batches with calls stored.
    pub batches: u64,
    /// Calls stored.
    pub calls: u64,
    /// Batches given up: their calls were refused.
    pub refused_batches: u64,
    /// Denials and last uses that were dropped because too many waited.
    pub dropped: u64,
}

#[derive(Default)]
pub(super) struct Ledger {
    open: Mutex<Batch>,
    pub(super) wake: Notify,
    pub(super) finished: Notify,
    pub(super) closing: AtomicBool,
    pub(super) failing: AtomicBool,
    pub(super) batches: AtomicU64,
    pub(super) calls: AtomicU64,
    pub(super) refused_batches: AtomicU64,
    dropped: AtomicU64,
}

impl Ledger {
    /// Counts a call and returns when it is stored.
    ///
    /// # Errors
    /// It could not be stored: the call must not be let through, and does not count.
    pub(super) async fn record(
        &self,
        counter: Counter,
        touched: Touched,
        now: Timestamp,
        client: Client<'_>,
    ) -> Result<(), StoreError> {
        let bell = {
            let mut open = self.open();
            open.counts.entry((counter, now.hour().0)).or_default().calls += 1;
            note_use(&mut open, touched, now, client);
            open.waiting += 1;
            Arc::clone(&open.bell)
        };
        self.wake.notify_one();
        if bell.wait().await {
            Ok(())
        } else {
            Err(StoreError::Unavailable("the call could not be counted".to_owned()))
        }
    }

    /// Notes a last use, without waiting.
    pub(super) fn touch(&self, touched: Touched, now: Timestamp, client: Client<'_>) {
        let mut open = self.open();
        if open.touches.len() < OPEN_ENTRIES || open.touches.contains_key(&touched) {
            note_use(&mut open, touched, now, client);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts and remembers a denial, without waiting. `counter` is known when the credential is.
    pub(super) fn deny(&self, counter: Option<Counter>, row: DenialRow) {
        let mut open = self.open();
        if let Some(counter) = counter {
            let entry = (counter, row.at.hour().0);
            if open.counts.len() < OPEN_ENTRIES || open.counts.contains_key(&entry) {
                open.counts.entry(entry).or_default().denied += 1;
            } else {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        if open.denials.len() < OPEN_DENIALS {
            open.denials.push(row);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Brings what is in memory and in the journal into the counters, denials too, and returns when they can be read.
    ///
    /// # Errors
    /// It could not be done.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        let bell = {
            let mut open = self.open();
            open.waiting += 1;
            Arc::clone(open.readers.get_or_insert_default())
        };
        self.wake.notify_one();
        if bell.wait().await {
            Ok(())
        } else {
            Err(StoreError::Unavailable("the ledger could not be written".to_owned()))
        }
    }

    /// Whether the last batch was stored.
    pub(super) fn is_well(&self) -> bool {
        !self.failing.load(Ordering::Relaxed)
    }

    pub(super) fn numbers(&self) -> LedgerNumbers {
        LedgerNumbers {
            batches: self.batches.load(Ordering::Relaxed),
            calls: self.calls.load(Ordering::Relaxed),
            refused_batches: self.refused_batches.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }

    /// How many wait for the open batch.
    pub(super) fn waiting(&self) -> usize {
        self.open().waiting
    }

    /// Closes the open batch and opens the next.
    pub(super) fn take(&self) -> Batch {
        std::mem::take(&mut *self.open())
    }

    /// Puts the denials of a batch that was given up into the open one: they are not refused, only late.
    pub(super) fn keep_denials(&self, batch: &mut Batch) {
        let mut open = self.open();
        for (entry, counts) in batch.counts.drain().filter(|(_, counts)| counts.denied != 0) {
            if open.counts.len() < OPEN_ENTRIES {
                open.counts.entry(entry).or_default().denied += counts.denied;
            } else {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        let room = OPEN_DENIALS.saturating_sub(open.denials.len());
        open.denials.extend(batch.denials.drain(..).take(room));
    }

    fn open(&self) -> MutexGuard<'_, Batch> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Address and agent are those of the first use in a batch, the instant is that of the last: a batch is milliseconds long.
fn note_use(open: &mut Batch, touched: Touched, now: Timestamp, client: Client<'_>) {
    let entry = open.touches.entry(touched).or_insert_with(|| LastUse {
        at: now,
        address: client.address.map(|address| address.to_string()).unwrap_or_default(),
        agent: client.agent.chars().filter(|letter| !letter.is_control()).take(AGENT_LENGTH).collect(),
    });
    entry.at = now;
}
