//! The committer: takes the open batch, stores it in the journal under the writer's next sequence, rings the bell; and folds
//! what is in the journal into the counters, once a second, when many counters wait, or when somebody wants to read them.
//!
//! When a commit fails it is unknown whether it took place. The batch is sent once more under the same sequence, which
//! stores it once. When that fails too, its callers are refused, and the batch stays in doubt: before the next batch is
//! written, an empty one takes its place in the journal, whether it has landed or not.
//!
//! A fold tells the counters, and the writer up to which sequence they are folded, in one transaction. When it fails, or finds
//! that another process has folded, the sums in memory are dropped and made again from the journal.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tollgate_core::random::random_u128;
use tollgate_core::{Random, Timestamp};

use super::App;
use super::ledger::{Batch, Counter, Counts, LastUse, Ledger, Sums, Touched, Touches};
use crate::config::Products;
use crate::store::ledger::{CountRow, TouchRow};
use crate::store::{Store, StoreError};

/// How long denials and last uses may wait in memory.
const IDLE_FLUSH: Duration = Duration::from_secs(1);
/// How long what is stored may wait to be folded into the counters.
const FOLD_EVERY: Duration = Duration::from_secs(1);
/// Counters and last uses that are folded at once. More would keep the calls waiting that come meanwhile.
const MOST_UNFOLDED: usize = 1_000;
/// A commit that failed sooner than this is tried once more: a connection may just have been lost.
const QUICK_FAILURE: Duration = Duration::from_millis(100);
/// The longest time that a batch is held open while calls go on arriving, but for what others take of the core.
const LONGEST_GATHERING: Duration = Duration::from_millis(1);
/// What is longer was no gateway that sent its calls, but others at work: the core is not given away again so soon.
const LONGEST_ABSENCE: Duration = Duration::from_millis(5);
/// How soon.
const KEEPS_CORE: Duration = Duration::from_secs(1);

/// Lets calls arrive before their batch is closed.
#[derive(Default)]
struct Gathering {
    /// Until when the core is not given away.
    keeps_core: Option<Instant>,
}

impl Gathering {
    /// Lets the calls that can arrive now arrive, so that they share one commit: as long as each turn of the scheduler brings
    /// another. A lone call waits for one turn, not for a timer. Where there are several, a gateway on the same core may have
    /// more that it had no time to send: it is given the core once.
    async fn gather(&mut self, ledger: &Ledger) {
        let mut started = Instant::now();
        let mut may_yield = self.keeps_core.is_none_or(|until| until < started);
        let mut waiting = ledger.waiting();
        while waiting > 0 && started.elapsed() < LONGEST_GATHERING {
            tokio::task::yield_now().await;
            let now_waiting = ledger.waiting();
            if now_waiting == waiting {
                if !may_yield || waiting == 1 {
                    return;
                }
                may_yield = false;
                let left = Instant::now();
                std::thread::yield_now();
                // What was sent meanwhile has still to be read.
                started = Instant::now();
                self.keeps_core = (started - left > LONGEST_ABSENCE).then(|| started + KEEPS_CORE);
            }
            waiting = now_waiting;
        }
    }
}

/// The one who writes the ledger. Its name is fresh for each process.
pub(super) struct Committer {
    writer: String,
    /// The sequence of the last batch that is known to be stored.
    sequence: i64,
    /// Nobody knows whether the batch after `sequence` was stored. Its callers were refused.
    doubt: bool,
    /// What is stored and not yet in the counters.
    unfolded: Unfolded,
    products: Products,
}

/// Stored batches, waiting to be folded into the counters together.
#[derive(Default)]
struct Unfolded {
    /// The last sequence that is in the counters.
    after: i64,
    sums: Sums,
    /// Last uses ride along.
    touches: Touches,
    /// When the first of them came.
    since: Option<Instant>,
    /// A fold failed, or found that another had folded: only the database knows what is left.
    ask: bool,
}

impl Unfolded {
    fn add(&mut self, batch: &mut Batch) {
        if batch.counts.is_empty() && batch.touches.is_empty() {
            return;
        }
        self.since.get_or_insert_with(Instant::now);
        self.touches.extend(batch.touches.drain());
        if !self.ask {
            for (entry, counts) in batch.counts.drain() {
                let sum = self.sums.entry(entry).or_default();
                sum.calls += counts.calls;
                sum.denied += counts.denied;
            }
        }
    }

    fn are_due(&self) -> bool {
        self.sums.len() + self.touches.len() >= MOST_UNFOLDED
            || self.since.is_some_and(|since| since.elapsed() >= FOLD_EVERY)
    }

    fn touch_rows(&self) -> Vec<TouchRow<'_>> {
        let mut rows: Vec<TouchRow<'_>> = self.touches.iter().map(|(touched, last)| touch_row(touched, last)).collect();
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        rows
    }
}

impl Committer {
    /// Folds what processes before this one left in the journal, and makes the writer known.
    pub(super) async fn start(
        store: &Store,
        products: Products,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Self, StoreError> {
        store.prepare_journal()?;
        for left in store.writers_of_journal().await? {
            fold_stored(store, &left).await?;
        }
        let writer = format!("{:032x}", random_u128(random));
        store.insert_writer(&writer, now).await?;
        Ok(Self { writer, sequence: 0, doubt: false, unfolded: Unfolded::default(), products })
    }

    /// Writes batches until the ledger is closed.
    pub(super) async fn run(mut self, app: Arc<App>) {
        // It always stands in the runtime's list of timers. Where that is empty, each new timer wakes the runtime by a call of
        // the system, even when it is awake, and every request has a timer for its head.
        let mut idle = tokio::time::interval(IDLE_FLUSH);
        let mut gathering = Gathering::default();
        loop {
            tokio::select! {
                biased;
                _ = idle.tick() => {}
                () = app.ledger.wake.notified() => {}
            }
            let closing = app.ledger.closing.load(Ordering::SeqCst);
            gathering.gather(&app.ledger).await;
            let batch = app.ledger.take();
            let asked = batch.readers.is_some();
            self.write(&app.ledger, &app.store, batch, asked || closing).await;
            idle.reset();
            if closing {
                app.ledger.finished.notify_one();
                return;
            }
        }
    }

    async fn write(&mut self, ledger: &Ledger, store: &Store, mut batch: Batch, fold: bool) {
        let outcome = self.commit(store, &mut batch).await;
        ledger.failing.store(outcome.is_err(), Ordering::Relaxed);
        match &outcome {
            Ok(calls) => {
                ledger.batches.fetch_add(u64::from(*calls > 0), Ordering::Relaxed);
                ledger.calls.fetch_add(*calls, Ordering::Relaxed);
                batch.bell.ring(true);
            }
            Err(cause) => {
                tracing::error!(error = %cause, "ledger");
                ledger.refused_batches.fetch_add(1, Ordering::Relaxed);
                batch.bell.ring(false);
                ledger.keep_denials(&mut batch);
            }
        }
        // After one failure nothing more is tried: the next batch's callers wait already, and would wait for that too.
        let read = outcome.is_ok() && self.fold_and_remember(ledger, store, &mut batch, fold).await;
        if let Some(readers) = batch.readers {
            readers.ring(read);
        }
    }

    /// Whether the counters may be read, and the denials are stored, of which nothing is lost otherwise.
    async fn fold_and_remember(&mut self, ledger: &Ledger, store: &Store, batch: &mut Batch, fold: bool) -> bool {
        if let Err(cause) = self.fold(store, fold).await {
            tracing::error!(error = %cause, "the ledger's journal is not folded yet");
            // Calls go on meanwhile: they are not to wait for the next attempt at once.
            self.unfolded.since = Some(Instant::now());
            batch.counts.clear();
            ledger.keep_denials(batch);
            return false;
        }
        remember_denials(ledger, store, batch).await.is_ok()
    }

    /// Stores a batch in the journal, and says how many calls it counts.
    async fn commit(&mut self, store: &Store, batch: &mut Batch) -> Result<u64, StoreError> {
        self.settle(store).await?;
        let mut calls = 0;
        if !batch.counts.is_empty() {
            calls = batch.counts.values().map(|counts| u64::try_from(counts.calls).unwrap_or(0)).sum();
            let rows = rows(&batch.counts, &self.products);
            let next = self.sequence + 1;
            let began = Instant::now();
            let mut outcome = store.store_batch(&self.writer, next, &rows).await;
            if outcome.is_err() && began.elapsed() < QUICK_FAILURE {
                outcome = store.store_batch(&self.writer, next, &rows).await;
            }
            self.doubt = outcome.is_err();
            outcome?;
            self.sequence = next;
        }
        self.unfolded.add(batch);
        Ok(calls)
    }

    /// Sees to it that the attempt in doubt counts nothing, whether it was stored or is stored later.
    async fn settle(&mut self, store: &Store) -> Result<(), StoreError> {
        if self.doubt {
            store.cancel_batch(&self.writer, self.sequence + 1).await?;
            self.sequence += 1;
            self.doubt = false;
        }
        Ok(())
    }

    /// Folds what is stored into the counters, when it is time or somebody asks for it.
    async fn fold(&mut self, store: &Store, asked: bool) -> Result<(), StoreError> {
        if self.unfolded.since.is_none() || !(asked || self.unfolded.are_due()) {
            return Ok(());
        }
        self.unfolded.since = Some(Instant::now());
        let counts = std::mem::take(&mut self.unfolded.sums);
        let unknown = std::mem::replace(&mut self.unfolded.ask, true);
        if unknown || !self.fold_sums(store, &counts).await? {
            // In the journal stands, perhaps, what is in doubt: its callers were refused.
            self.settle(store).await?;
            self.unfolded.after = fold_stored(store, &self.writer).await?;
            if !self.fold_sums(store, &Sums::default()).await? {
                return Err(StoreError::Unavailable("another process folds the journal of this one".to_owned()));
            }
        }
        self.unfolded = Unfolded { after: self.sequence, ..Unfolded::default() };
        Ok(())
    }

    /// Folds sums that are known to be all that is stored. `false` if they are not, because another has folded.
    async fn fold_sums(&self, store: &Store, counts: &Sums) -> Result<bool, StoreError> {
        let (counts, touches) = (rows(counts, &self.products), self.unfolded.touch_rows());
        let sequences = (self.unfolded.after, self.sequence);
        Ok(store.fold(&self.writer, sequences, counts, &touches).await? == self.sequence)
    }
}

/// Folds the batches of a writer from what is stored. Returns the last sequence that is in the counters.
async fn fold_stored(store: &Store, writer: &str) -> Result<i64, StoreError> {
    loop {
        let stored = store.unfolded(writer).await?;
        if stored.through == stored.after {
            return Ok(stored.after);
        }
        store.fold(writer, (stored.after, stored.through), stored.counts, &[]).await?;
    }
}

fn rows<'a>(sums: &Sums, products: &'a Products) -> Vec<CountRow<'a>> {
    let row = |(&(counter, hour), counts): (&(Counter, i64), &Counts)| {
        let product = Cow::Borrowed(&*products.at(counter.product).name);
        CountRow::new(
            (counter.account, counter.project, counter.credential),
            product,
            hour,
            (counts.calls, counts.denied),
        )
    };
    sums.iter().map(row).collect()
}

fn touch_row<'a>(touched: &Touched, last: &'a LastUse) -> TouchRow<'a> {
    let id = touched.secret.map_or_else(|| touched.credential.to_string(), |secret| secret.to_string());
    TouchRow(id, touched.credential, last.at.0, &last.address, &last.agent)
}

/// What is only remembered refuses no call: after a failure it is tried again with the next batch.
async fn remember_denials(ledger: &Ledger, store: &Store, batch: &mut Batch) -> Result<(), StoreError> {
    if batch.denials.is_empty() {
        return Ok(());
    }
    let outcome = store.insert_denials(&batch.denials).await;
    if let Err(cause) = &outcome {
        tracing::warn!(error = %cause, "denials are not remembered yet");
        batch.counts.clear();
        ledger.keep_denials(batch);
    }
    outcome
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
#[path = "ledger_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
