//! The committer: takes the open batch, writes it in one transaction under the writer's next sequence, rings the bell.
//!
//! When a commit fails it is unknown whether it took place. The batch is sent once more under the same sequence, which
//! counts it once. When that fails too, its callers are refused, and the batch stays in doubt: before the next batch is
//! written, a fence makes sure that it has landed or never will, and if it has, its calls are taken back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tollgate_core::Random;
use tollgate_core::random::random_u128;

use super::App;
use super::ledger::{Batch, Counter, Counts, Ledger};
use crate::config::Products;
use crate::store::ledger::{BatchRows, CountRow, TouchRow};
use crate::store::{Store, StoreError};

/// How long denials and last uses may wait in memory.
const IDLE_FLUSH: Duration = Duration::from_secs(1);

/// A commit that failed sooner than this is tried once more: a connection may just have been lost.
const QUICK_FAILURE: Duration = Duration::from_millis(100);
/// The longest time that a batch is held open while calls go on arriving.
const LONGEST_GATHERING: Duration = Duration::from_millis(1);

/// Lets the calls that can arrive now arrive, so that they share one commit: as long as each turn of the scheduler brings
/// another. A lone call waits for one turn, not for a timer.
async fn gather(ledger: &Ledger) {
    let started = tokio::time::Instant::now();
    let mut waiting = ledger.waiting();
    while waiting > 0 {
        tokio::task::yield_now().await;
        let now_waiting = ledger.waiting();
        if now_waiting == waiting || started.elapsed() >= LONGEST_GATHERING {
            return;
        }
        waiting = now_waiting;
    }
}

/// Calls and denials per counter and hour.
type Sums = HashMap<(Counter, i64), Counts>;

/// The one who writes the ledger. Its name is fresh for each process.
pub(super) struct Committer {
    writer: String,
    /// The sequence of the last batch that is known to be stored.
    sequence: i64,
    /// What the last attempt counted under `sequence + 1`, when nobody knows whether it was stored. Its callers were refused.
    doubt: Option<Sums>,
    /// What is stored although its callers were refused: taken back with the next batch.
    owed: Sums,
    products: Products,
}

impl Committer {
    pub(super) async fn start(
        store: &Store,
        products: Products,
        now: tollgate_core::Timestamp,
        random: &dyn Random,
    ) -> Result<Self, StoreError> {
        let writer = format!("{:032x}", random_u128(random));
        store.insert_writer(&writer, now).await?;
        Ok(Self { writer, sequence: 0, doubt: None, owed: Sums::new(), products })
    }

    /// Writes batches until the ledger is closed.
    pub(super) async fn run(mut self, app: Arc<App>) {
        loop {
            let idle = tokio::time::timeout(IDLE_FLUSH, app.ledger.wake.notified()).await.is_err();
            let closing = app.ledger.closing.load(Ordering::SeqCst);
            gather(&app.ledger).await;
            let batch = app.ledger.take();
            // Nobody may come while this server says that it is not ready: it finds out by itself that the store is back.
            let unsettled = self.doubt.is_some() || !self.owed.is_empty() || !app.ledger.is_well();
            if !batch.is_empty() || (unsettled && (idle || closing)) {
                self.write(&app.ledger, &app.store, batch).await;
            }
            if closing {
                app.ledger.finished.notify_one();
                return;
            }
        }
    }

    async fn write(&mut self, ledger: &Ledger, store: &Store, mut batch: Batch) {
        let outcome = self.commit(store, &batch).await;
        ledger.failing.store(outcome.is_err(), Ordering::Relaxed);
        match outcome {
            Ok(()) => {
                let calls: i64 = batch.counts.values().map(|counts| counts.calls).sum();
                ledger.batches.fetch_add(1, Ordering::Relaxed);
                ledger.calls.fetch_add(u64::try_from(calls).unwrap_or(0), Ordering::Relaxed);
                batch.bell.ring(true);
                remember_denials(ledger, store, batch).await;
            }
            Err(cause) => {
                tracing::error!(error = %cause, "ledger");
                ledger.refused_batches.fetch_add(1, Ordering::Relaxed);
                batch.bell.ring(false);
                ledger.keep_denials(&mut batch);
            }
        }
    }

    /// Stores a batch, and takes back what is owed, in one transaction.
    pub(super) async fn commit(&mut self, store: &Store, batch: &Batch) -> Result<(), StoreError> {
        self.settle(store).await?;
        let rows = self.rows(batch);
        let next = self.sequence + 1;
        let began = tokio::time::Instant::now();
        let mut outcome = store.commit_batch(&self.writer, next, &rows).await;
        if outcome.is_err() && began.elapsed() < QUICK_FAILURE {
            outcome = store.commit_batch(&self.writer, next, &rows).await;
        }
        drop(rows);
        if outcome.is_ok() {
            self.sequence = next;
            self.owed.clear();
        } else {
            self.doubt = Some(batch.counts.clone());
        }
        outcome
    }

    /// Finds out whether the attempt in doubt was stored, and sees to it that it is not stored later. If it was, it took
    /// back what was owed, and is owed itself now.
    async fn settle(&mut self, store: &Store) -> Result<(), StoreError> {
        if self.doubt.is_some() {
            let (landed, standing) = store.fence(&self.writer, self.sequence + 1).await?;
            let doubt = self.doubt.take().unwrap_or_default();
            self.sequence = standing;
            if landed {
                self.owed = doubt;
            }
        }
        Ok(())
    }

    fn rows<'a>(&'a self, batch: &'a Batch) -> BatchRows<'a> {
        let mut sums: Vec<((Counter, i64), Counts)> =
            batch.counts.iter().map(|(entry, counts)| (*entry, *counts)).collect();
        for (entry, counts) in &self.owed {
            sums.push((*entry, Counts { calls: -counts.calls, denied: -counts.denied }));
        }
        // In one order in every transaction, so that no two ever wait for each other.
        sums.sort_by_key(|(entry, _)| *entry);
        sums.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1.calls += later.1.calls;
                earlier.1.denied += later.1.denied;
            }
            same
        });
        let counts = sums.into_iter().map(|((counter, hour), counts)| {
            let product = &*self.products.at(counter.product).name;
            let whose = (counter.account, counter.project, counter.credential);
            CountRow::new(whose, product, hour, (counts.calls, counts.denied))
        });
        let mut touches: Vec<TouchRow<'_>> = batch
            .touches
            .iter()
            .map(|(touched, last)| {
                let id = touched.secret.map_or_else(|| touched.credential.to_string(), |secret| secret.to_string());
                TouchRow(id, touched.credential, last.at.0, &last.address, &last.agent)
            })
            .collect();
        touches.sort_by(|one, other| one.0.cmp(&other.0));
        BatchRows { counts: counts.collect(), touches }
    }
}

/// What is only remembered refuses no call: a failure is logged, and tried again with the next batch.
async fn remember_denials(ledger: &Ledger, store: &Store, mut batch: Batch) {
    if batch.denials.is_empty() {
        return;
    }
    if let Err(cause) = store.insert_denials(&batch.denials).await {
        tracing::warn!(error = %cause, "denials are not remembered yet");
        batch.counts.clear();
        ledger.keep_denials(&mut batch);
    }
}

impl Ledger {
    /// Lets the committer write what is left, settle what is in doubt, and end.
    pub(super) async fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.wake.notify_one();
        self.finished.notified().await;
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
