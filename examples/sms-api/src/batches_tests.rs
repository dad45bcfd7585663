use tollgate_core::random::SystemRandom;

use super::*;
use crate::batch::Message;

fn caller(account: &str, project: &str) -> Caller {
    Caller::test(account, project)
}

fn keep(batches: &Batches, caller: &Caller, id: &str, seconds: i64) {
    let message = Message::parse(br#"{"to":["+12025550134"],"body":"Hello"}"#).expect("a message");
    let now = Timestamp::from_seconds(seconds);
    let batch = Batch::new(id.to_owned(), caller.owner().to_owned(), message, now).expect("a batch");
    batches.keep(caller, batch);
}

fn ids(batches: &Batches, caller: &Caller) -> Vec<String> {
    batches.list(caller, |_| true).into_iter().map(|batch| batch.id).collect()
}

#[test]
fn a_batch_is_seen_by_its_own_account_and_project_only() {
    let batches = Batches::default();
    let own = caller("a", "p");
    keep(&batches, &own, "1", 0);
    assert!(batches.with(&own, "1", |_| ()).is_some());
    for other in [caller("b", "p"), caller("a", "q")] {
        assert!(batches.with(&other, "1", |_| ()).is_none());
        assert!(ids(&batches, &other).is_empty());
    }
}

#[test]
fn the_oldest_batches_of_an_account_make_room_and_no_other_accounts() {
    let batches = Batches::within(Bounds { batches: 2, ..Bounds::default() });
    let (own, other) = (caller("a", "p"), caller("b", "p"));
    keep(&batches, &other, "0", 0);
    for (id, seconds) in [("1", 1), ("2", 2), ("3", 3)] {
        keep(&batches, &own, id, seconds);
    }
    assert_eq!(ids(&batches, &own), ["3", "2"]);
    assert_eq!(ids(&batches, &other), ["0"]);
}

#[test]
fn an_account_is_bounded_in_bytes_too() {
    let batches = Batches::within(Bounds { bytes: 3_000, ..Bounds::default() });
    let own = caller("a", "p");
    for id in ["1", "2", "3", "4"] {
        keep(&batches, &own, id, 0);
    }
    assert_eq!(ids(&batches, &own), ["4", "3"]);
}

#[test]
fn the_account_that_was_quiet_longest_is_forgotten_first() {
    let batches = Batches::within(Bounds { accounts: 2, ..Bounds::default() });
    for (account, seconds) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
        keep(&batches, &caller(account, "p"), account, seconds);
    }
    let left = ["a", "b", "c"].map(|account| ids(&batches, &caller(account, "p")).len());
    assert_eq!(left, [2, 0, 1]);
}

#[test]
fn ids_have_26_characters_and_sort_by_time() {
    let random = SystemRandom::default();
    let make = |seconds| ulid(Timestamp::from_seconds(seconds), &random);
    let ids = [make(1_000), make(1_001), make(1_700_000_000)];
    assert!(ids.iter().all(|id| id.len() == 26) && ids.is_sorted());
    assert_ne!(make(5), make(5));
    assert!(ulid(Timestamp(1_469_918_176_385_000), &random).starts_with("01ARYZ6S41"));
}
