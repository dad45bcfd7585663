//! Whatever happens to batches and folds, in any order: the bill is the sum of what was stored, by hour, day, month and whole
//! project.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use tollgate_core::random::SystemRandom;
use tollgate_core::{AccountId, CredentialId, KeyId, ProjectId};

use super::tests::{NOW, committer};
use super::*;
use crate::store::tests::{assert_days_agree, counters, on_sqlite};

/// One growth of a batch: which of four counters, how many hours after the start, calls, denied.
type Growth = (usize, i64, i64, i64);

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Growth>),
    /// A commit that takes place, and whose answer is lost: its callers are refused.
    Landed(Vec<Growth>),
    /// A commit of which nobody knows anything, and which did not take place.
    Lost,
    /// After it has been settled that a batch in doubt counts nothing, it arrives.
    Late(Vec<Growth>),
    Fold,
    /// A fold whose answer is lost; whether it took place.
    FoldLost(bool),
    /// The process ends without a word, and another one starts.
    Kill,
    /// Another process starts beside this one.
    Other,
}

fn step() -> impl Strategy<Value = Step> {
    // Half a year of hours, so that days, months and a turn of the year lie in it.
    let batch = || prop::collection::vec((0..4_usize, 0..4_400_i64, 1..1_000_i64, 0..3_i64), 1..5);
    prop_oneof![
        4 => batch().prop_map(Step::Commit),
        2 => batch().prop_map(Step::Landed),
        1 => Just(Step::Lost),
        1 => batch().prop_map(Step::Late),
        2 => Just(Step::Fold),
        2 => any::<bool>().prop_map(Step::FoldLost),
        1 => Just(Step::Kill),
        1 => Just(Step::Other),
    ]
}

/// A committer, and beside it what has to be on the bill.
struct Model<'a> {
    store: &'a Store,
    committer: Committer,
    counters: Vec<Counter>,
    bill: BTreeMap<(String, i64), (i64, i64)>,
    /// A batch in doubt that was stored. It counts only if this process ends before it is settled.
    landed: Vec<Growth>,
}

impl<'a> Model<'a> {
    async fn new(store: &'a Store) -> Self {
        let random = SystemRandom::default();
        let account = AccountId::new(NOW, &random);
        let projects = [ProjectId::new(NOW, &random), ProjectId::new(NOW, &random)];
        let counter = |project| {
            let credential = CredentialId::Key(KeyId::new(NOW, &random));
            Counter { account, project, credential, product: 0 }
        };
        let counters = projects.into_iter().flat_map(|project| [counter(project), counter(project)]).collect();
        let committer = committer(store).await;
        Self { store, committer, counters, bill: BTreeMap::new(), landed: Vec::new() }
    }

    fn batch(&self, growths: &[Growth]) -> Batch {
        let mut batch = Batch::default();
        for &(counter, hours, calls, denied) in growths {
            let hour = NOW.hour().plus_seconds(hours * 3_600).0;
            let counts = batch.counts.entry((self.counters[counter], hour)).or_default();
            counts.calls += calls;
            counts.denied += denied;
        }
        batch
    }

    fn count(&mut self, growths: &[Growth]) {
        for ((counter, hour), counts) in self.batch(growths).counts {
            let sum = self.bill.entry((counter.credential.to_string(), hour)).or_default();
            *sum = (sum.0 + counts.calls, sum.1 + counts.denied);
        }
    }

    async fn store_next(&self, growths: &[Growth], sequence: i64) {
        let rows = rows(&self.batch(growths).counts, &self.committer.products);
        self.store.store_batch(&self.committer.writer, sequence, &rows).await.expect("the store answers");
    }

    async fn settle(&mut self) {
        self.committer.settle(self.store).await.expect("the store answers");
        self.landed.clear();
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Commit(growths) => {
                let mut batch = self.batch(growths);
                self.committer.commit(self.store, &mut batch).await.expect("the store answers");
                self.landed.clear();
                self.count(growths);
            }
            Step::Landed(growths) => {
                self.settle().await;
                self.store_next(growths, self.committer.sequence + 1).await;
                self.committer.doubt = true;
                self.landed.clone_from(growths);
            }
            Step::Lost => {
                self.settle().await;
                self.committer.doubt = true;
            }
            Step::Late(growths) => {
                let place = self.committer.doubt.then_some(self.committer.sequence + 1);
                self.settle().await;
                if let Some(place) = place {
                    self.store_next(growths, place).await;
                }
            }
            Step::Fold => self.check().await,
            Step::FoldLost(took_place) => self.lose_fold(*took_place).await,
            Step::Kill => {
                self.committer = committer(self.store).await;
                self.count_landed();
            }
            Step::Other => {
                committer(self.store).await;
                self.count_landed();
            }
        }
    }

    /// Whoever starts cannot know that the callers of a stored batch were refused.
    fn count_landed(&mut self) {
        let landed = std::mem::take(&mut self.landed);
        self.count(&landed);
    }

    async fn lose_fold(&mut self, took_place: bool) {
        let unfolded = &mut self.committer.unfolded;
        if unfolded.since.is_none() {
            return;
        }
        let known = !std::mem::replace(&mut unfolded.ask, true);
        let sums = std::mem::take(&mut unfolded.sums);
        if took_place && known {
            let counts = rows(&sums, &self.committer.products);
            let sequences = (self.committer.unfolded.after, self.committer.sequence);
            self.store.fold(&self.committer.writer, sequences, counts, &[]).await.expect("the store answers");
        }
    }

    async fn check(&mut self) {
        self.committer.fold(self.store, true).await.expect("the store answers");
        if !self.committer.doubt {
            self.landed.clear();
        }
        assert_days_agree(self.store).await;
        let bill = self.bill.iter().map(|((key, hour), (calls, denied))| format!("{key} {hour} {calls} {denied}"));
        let mut bill: Vec<String> = bill.collect();
        bill.sort();
        assert_eq!(counters(self.store).await, bill);
    }
}

proptest! {
    #![proptest_config(Config { cases: 48, rng_seed: RngSeed::Fixed(5), failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_bill_is_the_sum_of_what_was_stored_whatever_happens(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (store, _directory) = on_sqlite().await;
            let mut model = Model::new(&store).await;
            for step in &steps {
                model.take(step).await;
            }
            model.take(&Step::Kill).await;
            model.check().await;
        });
    }
}
