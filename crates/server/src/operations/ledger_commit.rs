//! The committer: takes the open batch, writes it in one transaction under the writer's next sequence, rings the bell.
//!
//! When a commit fails it is unknown whether it took place. The batch is sent once more under the same sequence, which
//! counts it once. When that fails too, its callers are refused, and the batch stays in doubt: before the next batch is
//! written, the stored sequence tells whether it had landed after all, and then its calls are taken back.

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

/// The one who writes the ledger. Its name is fresh for each process.
pub(super) struct Committer {
    writer: String,
    sequence: i64,
    /// Calls of a batch whose commit may have taken place although its callers were refused, under `sequence + 1`.
    doubt: Option<HashMap<(Counter, i64), Counts>>,
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
        Ok(Self { writer, sequence: 0, doubt: None, products })
    }

    /// Writes batches until the ledger is closed.
    pub(super) async fn run(mut self, app: Arc<App>) {
        loop {
            let idle = tokio::time::timeout(IDLE_FLUSH, app.ledger.wake.notified()).await.is_err();
            let closing = app.ledger.closing.load(Ordering::SeqCst);
            gather(&app.ledger).await;
            let batch = app.ledger.take();
            if !batch.is_empty() {
                self.write(&app.ledger, &app.store, batch).await;
            } else if idle && self.doubt.is_some() {
                // Nobody waits, but a doubt is better settled early.
                self.write(&app.ledger, &app.store, Batch::default()).await;
            }
            if closing {
                app.ledger.finished.notify_one();
                return;
            }
        }
    }

    async fn write(&mut self, ledger: &Ledger, store: &Store, mut batch: Batch) {
        let outcome = self.commit(store, &batch).await;
        if outcome.is_ok()
            && !batch.denials.is_empty()
            && let Err(cause) = store.insert_denials(&batch.denials).await
        {
            tracing::warn!(error = %cause, "denials are not remembered");
        }
        ledger.failing.store(outcome.is_err(), Ordering::Relaxed);
        match outcome {
            Ok(()) => {
                let calls: i64 = batch.counts.values().map(|counts| counts.calls).sum();
                ledger.batches.fetch_add(1, Ordering::Relaxed);
                ledger.calls.fetch_add(u64::try_from(calls).unwrap_or(0), Ordering::Relaxed);
                batch.bell.ring(true);
            }
            Err(cause) => {
                tracing::error!(error = %cause, "ledger");
                ledger.refused_batches.fetch_add(1, Ordering::Relaxed);
                batch.bell.ring(false);
                ledger.keep_denials(&mut batch);
            }
        }
    }

    async fn commit(&mut self, store: &Store, batch: &Batch) -> Result<(), StoreError> {
        let taken_back = self.settle(store).await?;
        let rows = self.rows(batch, taken_back.as_ref());
        let next = self.sequence + 1;
        let mut outcome = store.commit_batch(&self.writer, next, &rows).await;
        if outcome.is_err() {
            outcome = store.commit_batch(&self.writer, next, &rows).await;
        }
        match outcome {
            Ok(()) => {
                self.sequence = next;
                self.doubt = None;
            }
            Err(_) => self.doubt = Some(self.doubtful(batch, taken_back)),
        }
        outcome
    }

    /// Finds out whether the batch in doubt landed. If so its sequence is used up, and its calls must be taken back.
    async fn settle(&mut self, store: &Store) -> Result<Option<HashMap<(Counter, i64), Counts>>, StoreError> {
        if self.doubt.is_none() {
            return Ok(None);
        }
        let stored = store.ledger_sequence(&self.writer).await?;
        let doubt = self.doubt.take();
        if stored > self.sequence {
            self.sequence = stored;
            return Ok(doubt);
        }
        Ok(None)
    }

    /// What must be taken back if this batch turns out to have landed: all of it, and not what it took back itself.
    fn doubtful(
        &self,
        batch: &Batch,
        taken_back: Option<HashMap<(Counter, i64), Counts>>,
    ) -> HashMap<(Counter, i64), Counts> {
        let mut all = batch.counts.clone();
        for (entry, counts) in taken_back.into_iter().flatten() {
            let sum = all.entry(entry).or_default();
            sum.calls -= counts.calls;
            sum.denied -= counts.denied;
        }
        all
    }

    fn rows<'a>(&'a self, batch: &'a Batch, taken_back: Option<&HashMap<(Counter, i64), Counts>>) -> BatchRows<'a> {
        let mut sums: Vec<((Counter, i64), Counts)> =
            batch.counts.iter().map(|(entry, counts)| (*entry, *counts)).collect();
        for (entry, counts) in taken_back.into_iter().flatten() {
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
            CountRow(counter.account, hour, counter.project, counter.key, product, counts.calls, counts.denied)
        });
        let mut touches: Vec<TouchRow<'_>> = batch
            .touches
            .iter()
            .map(|(touched, last)| {
                let id = touched.secret.map_or_else(|| touched.key.to_string(), |secret| secret.to_string());
                TouchRow(id, touched.key, last.at.0, &last.address, &last.agent)
            })
            .collect();
        touches.sort_by(|one, other| one.0.cmp(&other.0));
        BatchRows { counts: counts.collect(), touches }
    }
}

impl Ledger {
    /// Lets the committer write what is left, settle what is in doubt, and end.
    pub(super) async fn close(&self, _store: &Store) {
        self.closing.store(true, Ordering::SeqCst);
        self.wake.notify_one();
        self.finished.notified().await;
    }
}
