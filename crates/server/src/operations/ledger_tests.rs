//! Batches whose acknowledgement was lost: what their callers were refused is not on the bill. And the folding of the journal.

use tollgate_core::random::SystemRandom;
use tollgate_core::{AccountId, CredentialId, KeyId, ProjectId};

use super::*;
use crate::config::Config;
use crate::store::tests::{assert_days_agree, on_postgres, on_sqlite};
use crate::store::usage::{Grouping, Slice, UsageRange};

pub(super) const NOW: Timestamp = Timestamp(1_790_000_000_000_000);
const PRODUCT: &str = "[[product]]\nname = 'demo'\nroutes = ['/**']\n";

/// A committer on a store, and the counter of its calls.
struct Scene<'a> {
    store: &'a Store,
    committer: Committer,
    counter: Counter,
}

/// The committer of a process that starts.
pub(super) async fn committer(store: &Store) -> Committer {
    let products = Config::parse("test.toml".as_ref(), PRODUCT).and_then(|config| config.products());
    let committer = Committer::start(store, products.expect("one product"), NOW, &SystemRandom::default()).await;
    committer.expect("a writer")
}

impl<'a> Scene<'a> {
    async fn new(store: &'a Store) -> Self {
        let random = SystemRandom::default();
        let counter = Counter {
            account: AccountId::new(NOW, &random),
            project: ProjectId::new(NOW, &random),
            credential: CredentialId::Key(KeyId::new(NOW, &random)),
            product: 0,
        };
        Self { store, committer: committer(store).await, counter }
    }

    fn batch(&self, calls: i64, denied: i64) -> Batch {
        let counts = Sums::from_iter([((self.counter, NOW.hour().0), Counts { calls, denied })]);
        Batch { counts, ..Batch::default() }
    }

    async fn commit(&mut self, calls: i64, denied: i64) {
        let mut batch = self.batch(calls, denied);
        self.committer.commit(self.store, &mut batch).await.expect("the store answers");
    }

    /// A commit that takes place, and whose answer is lost: its callers are refused.
    async fn landed(&mut self, calls: i64, denied: i64) {
        self.committer.settle(self.store).await.expect("the store answers");
        let rows = rows(&self.batch(calls, denied).counts, &self.committer.products);
        let sequence = self.committer.sequence + 1;
        self.store.store_batch(&self.committer.writer, sequence, &rows).await.expect("the store answers");
        self.committer.doubt = true;
    }

    /// Calls and denials on the bill, which is the same by hour and by day.
    async fn bill(&mut self) -> (i64, i64) {
        self.committer.fold(self.store, true).await.expect("the store answers");
        assert_days_agree(self.store).await;
        let (account, from) = (self.counter.account, NOW.hour());
        let range = UsageRange { account, within: None, from, to: from.plus_seconds(3_600) };
        let sums = self.store.usage(&range, Grouping::Key, Slice::ALL).await;
        sums.expect("the store answers").iter().fold((0, 0), |bill, sum| (bill.0 + sum.calls, bill.1 + sum.denied))
    }

    /// The process ends without a word, and another one starts.
    async fn killed(&mut self) {
        self.committer = committer(self.store).await;
    }
}

async fn a_doubt_is_settled(store: &Store) {
    let mut scene = Scene::new(store).await;
    scene.commit(5, 1).await;
    assert_eq!(scene.bill().await, (5, 1));

    scene.landed(7, 2).await;
    scene.commit(1, 0).await;
    assert_eq!(scene.bill().await, (6, 1), "what was stored although its callers were refused counts nothing");
    scene.commit(1, 0).await;
    assert_eq!(scene.bill().await, (7, 1));

    scene.committer.doubt = true;
    scene.commit(1, 0).await;
    assert_eq!(scene.bill().await, (8, 1), "nor does what was not stored");

    scene.landed(20, 0).await;
    scene.landed(30, 0).await;
    scene.commit(2, 0).await;
    scene.killed().await;
    assert_eq!(scene.bill().await, (10, 1), "nor for the process that comes after");
}

async fn a_straggler_counts_nothing(store: &Store) {
    let mut scene = Scene::new(store).await;
    scene.commit(5, 0).await;
    scene.committer.doubt = true;
    let (writer, sequence) = (scene.committer.writer.clone(), scene.committer.sequence + 1);
    scene.committer.settle(store).await.expect("the store answers");
    let products = scene.committer.products.clone();
    let late = rows(&scene.batch(100, 0).counts, &products);
    store.store_batch(&writer, sequence, &late).await.expect("its place is taken, and it does not see it");
    assert_eq!(scene.bill().await, (5, 0));
    scene.commit(2, 0).await;
    assert_eq!(scene.bill().await, (7, 0), "and the batch after it is not taken for it");
    store.store_batch(&writer, sequence, &late).await.expect("its place is taken still");
    scene.killed().await;
    assert_eq!(scene.bill().await, (7, 0));
}

async fn the_journal_is_folded_once(store: &Store) {
    let mut scene = Scene::new(store).await;
    scene.commit(5, 1).await;
    scene.commit(6, 0).await;
    scene.killed().await;
    assert_eq!(scene.bill().await, (11, 1), "by the next process");

    scene.commit(1, 0).await;
    let other = committer(store).await;
    scene.commit(2, 0).await;
    assert_eq!(scene.bill().await, (14, 1), "another process folds meanwhile");
    assert_eq!(other.unfolded.after, 0);
    scene.commit(3, 0).await;
    assert_eq!(scene.bill().await, (17, 1));

    // A fold whose answer was lost: it took place, and this one does not know.
    scene.commit(10, 0).await;
    let rows = rows(&scene.batch(10, 0).counts, &scene.committer.products);
    let sequences = (scene.committer.unfolded.after, scene.committer.sequence);
    store.fold(&scene.committer.writer, sequences, rows, &[]).await.expect("the store answers");
    scene.committer.unfolded.ask = true;
    scene.commit(20, 0).await;
    assert_eq!(scene.bill().await, (47, 1));
    // Then a batch is stored whose callers were refused, and the next fold asks the journal.
    scene.committer.unfolded.since = Some(Instant::now());
    scene.committer.unfolded.ask = true;
    scene.landed(100, 0).await;
    assert_eq!(scene.bill().await, (47, 1), "it counts nothing");
    assert_eq!(store.writers_of_journal().await.expect("the store answers"), Vec::<String>::new());
}

/// A fold of all that has piled up would never be done in time: it would be tried again for ever, and grow.
async fn much_that_is_stored_is_folded_in_parts(store: &Store) {
    let mut scene = Scene::new(store).await;
    let random = SystemRandom::default();
    for _ in 0..5 {
        let counter = |_| Counter { credential: CredentialId::Key(KeyId::new(NOW, &random)), ..scene.counter };
        let counts = (0..1_000).map(|at| ((counter(at), NOW.hour().0), Counts { calls: 1, denied: 0 }));
        let mut batch = Batch { counts: counts.collect(), ..Batch::default() };
        scene.committer.commit(store, &mut batch).await.expect("the store answers");
    }
    let first = store.unfolded(&scene.committer.writer).await.expect("the store answers");
    assert_eq!((first.through, first.counts.len()), (2, 2_000));
    scene.killed().await;
    assert_eq!(scene.bill().await, (5_000, 0));
}

async fn a_fold_waits_for_its_time(store: &Store) {
    let mut scene = Scene::new(store).await;
    scene.commit(1, 0).await;
    scene.committer.fold(store, false).await.expect("the store answers");
    assert_eq!(scene.committer.unfolded.after, 0, "not yet");
    scene.committer.unfolded.since = Instant::now().checked_sub(FOLD_EVERY);
    scene.committer.fold(store, false).await.expect("the store answers");
    assert_eq!(scene.committer.unfolded.after, 1);

    let random = SystemRandom::default();
    for _ in 0..MOST_UNFOLDED {
        scene.counter.credential = CredentialId::Key(KeyId::new(NOW, &random));
        let mut batch = scene.batch(1, 0);
        scene.committer.unfolded.add(&mut batch);
    }
    assert!(scene.committer.unfolded.are_due(), "there are many");
}

#[tokio::test]
async fn a_commit_that_comes_too_late_counts_nothing_on_sqlite() {
    let (store, _directory) = on_sqlite().await;
    a_straggler_counts_nothing(&store).await;
}

#[tokio::test]
async fn a_commit_that_comes_too_late_counts_nothing_on_postgres() {
    a_straggler_counts_nothing(&on_postgres().await).await;
}

#[tokio::test]
async fn a_batch_in_doubt_that_was_stored_is_taken_back_on_sqlite() {
    let (store, _directory) = on_sqlite().await;
    a_doubt_is_settled(&store).await;
}

#[tokio::test]
async fn a_batch_in_doubt_that_was_stored_is_taken_back_on_postgres() {
    a_doubt_is_settled(&on_postgres().await).await;
}

#[tokio::test]
async fn stored_batches_are_folded_once_on_sqlite() {
    let (store, _directory) = on_sqlite().await;
    the_journal_is_folded_once(&store).await;
}

#[tokio::test]
async fn stored_batches_are_folded_once_on_postgres() {
    the_journal_is_folded_once(&on_postgres().await).await;
}

#[tokio::test]
async fn what_has_piled_up_is_folded_in_parts_on_sqlite() {
    let (store, _directory) = on_sqlite().await;
    much_that_is_stored_is_folded_in_parts(&store).await;
}

#[tokio::test]
async fn what_has_piled_up_is_folded_in_parts_on_postgres() {
    much_that_is_stored_is_folded_in_parts(&on_postgres().await).await;
}

#[tokio::test]
async fn batches_are_folded_together() {
    let (store, _directory) = on_sqlite().await;
    a_fold_waits_for_its_time(&store).await;
}
