//! Batches whose acknowledgement was lost: what their callers were refused is not on the bill.

use tollgate_core::random::SystemRandom;
use tollgate_core::{AccountId, CredentialId, KeyId, ProjectId, Timestamp};

use super::super::ledger::{Batch, Counter, Counts};
use super::{Committer, Sums};
use crate::config::Config;
use crate::store::Store;
use crate::store::tests::{assert_days_agree, on_postgres, on_sqlite};
use crate::store::usage::{Grouping, Slice, UsageRange};

const NOW: Timestamp = Timestamp(1_790_000_000_000_000);
const PRODUCT: &str = "[[product]]\nname = 'demo'\nroutes = ['/**']\n";

/// A committer on a store, and the counter of its calls.
struct Scene<'a> {
    store: &'a Store,
    committer: Committer,
    counter: Counter,
}

impl<'a> Scene<'a> {
    async fn new(store: &'a Store) -> Self {
        let random = SystemRandom::default();
        let products = Config::parse("test.toml".as_ref(), PRODUCT).and_then(|config| config.products());
        let committer = Committer::start(store, products.expect("one product"), NOW, &random).await;
        let counter = Counter {
            account: AccountId::new(NOW, &random),
            project: ProjectId::new(NOW, &random),
            credential: CredentialId::Key(KeyId::new(NOW, &random)),
            product: 0,
        };
        Self { store, committer: committer.expect("a writer"), counter }
    }

    fn sums(&self, calls: i64, denied: i64) -> Sums {
        Sums::from([((self.counter, NOW.hour().0), Counts { calls, denied })])
    }

    async fn commit(&mut self, calls: i64, denied: i64) {
        let batch = Batch { counts: self.sums(calls, denied), ..Batch::default() };
        self.committer.commit(self.store, &batch).await.expect("the store answers");
    }

    /// A commit that takes place, and whose answer is lost: its callers are refused.
    async fn landed(&mut self, calls: i64, denied: i64) {
        let before = self.committer.sequence;
        let owed = self.committer.owed.clone();
        self.commit(calls, denied).await;
        self.committer.sequence = before;
        self.committer.owed = owed;
        self.committer.doubt = Some(self.sums(calls, denied));
    }

    /// A commit that does not take place, whose answer is lost as well.
    fn lost(&mut self, calls: i64, denied: i64) {
        self.committer.doubt = Some(self.sums(calls, denied));
    }

    /// Calls and denials on the bill, which is the same by hour and by day.
    async fn bill(&self) -> (i64, i64) {
        assert_days_agree(self.store).await;
        let (account, from) = (self.counter.account, NOW.hour());
        let range = UsageRange { account, within: None, from, to: from.plus_seconds(3_600) };
        let sums = self.store.usage(&range, Grouping::Key, Slice::ALL).await;
        sums.expect("the store answers").iter().fold((0, 0), |bill, sum| (bill.0 + sum.calls, bill.1 + sum.denied))
    }
}

async fn a_doubt_is_settled(store: &Store) {
    let mut scene = Scene::new(store).await;
    scene.commit(5, 1).await;
    assert_eq!(scene.bill().await, (5, 1));

    scene.landed(7, 2).await;
    assert_eq!(scene.bill().await, (12, 3), "it is stored although its callers were refused");
    scene.commit(1, 0).await;
    assert_eq!(scene.bill().await, (6, 1), "the next batch takes it back");
    scene.commit(1, 0).await;
    assert_eq!(scene.bill().await, (7, 1), "once");

    scene.lost(100, 100);
    scene.commit(1, 0).await;
    assert_eq!(scene.bill().await, (8, 1), "what was not stored is not taken back");

    scene.landed(20, 0).await;
    scene.committer.settle(store).await.expect("the store answers");
    scene.landed(30, 0).await;
    assert_eq!(scene.bill().await, (38, 1), "the second took the first one back");
    scene.committer.settle(store).await.expect("the store answers");
    scene.lost(40, 0);
    scene.commit(0, 0).await;
    assert_eq!(scene.bill().await, (8, 1), "and the third the second");
    scene.commit(2, 0).await;
    assert_eq!(scene.bill().await, (10, 1));
}

async fn a_straggler_counts_nothing(store: &Store) {
    let mut scene = Scene::new(store).await;
    scene.commit(5, 0).await;
    scene.lost(100, 0);
    let sequence = scene.committer.sequence + 1;
    scene.committer.settle(store).await.expect("the store answers");
    let late = Batch { counts: scene.sums(100, 0), ..Batch::default() };
    let rows = scene.committer.rows(&late);
    // It finds its sequence passed and writes nothing, whatever it believes.
    let _ = store.commit_batch(&scene.committer.writer, sequence, &rows).await;
    assert_eq!(scene.bill().await, (5, 0));
    scene.commit(2, 0).await;
    assert_eq!(scene.bill().await, (7, 0), "and the batch after the fence is not taken for it");
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
