//! Optimistic transactions: what conflicts, and what must not.

use super::{
    Subject,
    support::{all, b, commit, conflict, get, optimistic, pairs, put, put_all},
};
use crate::{ConflictReason, Outcome};
use futures::FutureExt;

pub async fn of_two_writers_of_a_key_one_conflicts(subject: Subject) {
    let kv = &*subject.kv;
    let (mut first, mut second) = (optimistic(kv).await, optimistic(kv).await);
    first.put(b("a"), b("first"));
    second.put(b("a"), b("second"));
    commit(first).await;
    assert_eq!(conflict(second).await, (b("a"), ConflictReason::Written));
    assert_eq!(get(kv, "a").await, Some(b("first")));

    put(kv, "a", "third").await;
    assert_eq!(get(kv, "a").await, Some(b("third")), "who began afterwards is not in conflict");
}

pub async fn a_deletion_is_a_write(subject: Subject) {
    let kv = &*subject.kv;
    put(kv, "a", "0").await;
    let (mut first, mut second, mut third) =
        (optimistic(kv).await, optimistic(kv).await, optimistic(kv).await);
    first.delete(b("a"));
    second.put(b("a"), b("second"));
    third.delete(b("a"));
    commit(first).await;
    assert_eq!(conflict(second).await, (b("a"), ConflictReason::Written));
    assert_eq!(conflict(third).await, (b("a"), ConflictReason::Written));
    assert_eq!(get(kv, "a").await, None);
}

pub async fn writers_of_different_keys_do_not_meet(subject: Subject) {
    let kv = &*subject.kv;
    let (mut first, mut second) = (optimistic(kv).await, optimistic(kv).await);
    first.put(b("a"), b("1"));
    second.put(b("b"), b("2"));
    commit(first).await;
    commit(second).await;
    assert_eq!(all(kv).await, pairs(&[("a", "1"), ("b", "2")]));
}

pub async fn write_skew_is_possible(subject: Subject) {
    let kv = &*subject.kv;
    put_all(kv, &[("a", "on"), ("b", "on")]).await;
    let (mut first, mut second) = (optimistic(kv).await, optimistic(kv).await);
    assert_eq!(first.get(b"b").await.unwrap(), Some(b("on")));
    assert_eq!(second.get(b"a").await.unwrap(), Some(b("on")));
    first.put(b("a"), b("off"));
    second.put(b("b"), b("off"));
    commit(first).await;
    commit(second).await;
    assert_eq!(all(kv).await, pairs(&[("a", "off"), ("b", "off")]));
}

pub async fn a_lock_prevents_write_skew(subject: Subject) {
    let kv = &*subject.kv;
    put_all(kv, &[("a", "on"), ("b", "on")]).await;
    let (mut first, mut second) = (optimistic(kv).await, optimistic(kv).await);
    first.lock(b("b"));
    first.put(b("a"), b("off"));
    second.lock(b("a"));
    second.put(b("b"), b("off"));
    commit(first).await;
    conflict(second).await;
    assert_eq!(all(kv).await, pairs(&[("a", "off"), ("b", "on")]));
}

pub async fn a_lock_meets_an_earlier_write(subject: Subject) {
    let kv = &*subject.kv;
    let mut txn = optimistic(kv).await;
    txn.lock(b("a"));
    txn.put(b("b"), b("1"));
    put(kv, "a", "1").await;
    assert_eq!(conflict(txn).await, (b("a"), ConflictReason::Written));
    assert_eq!(get(kv, "b").await, None);
}

pub async fn a_write_meets_an_earlier_lock(subject: Subject) {
    let kv = &*subject.kv;
    let mut paused = optimistic(kv).await;
    paused.put(b("a"), b("late"));
    let mut locking = optimistic(kv).await;
    locking.lock(b("a"));
    commit(locking).await;
    assert_eq!(conflict(paused).await, (b("a"), ConflictReason::Written));
    put(kv, "a", "1").await;
}

pub async fn locks_meet_each_other(subject: Subject) {
    let kv = &*subject.kv;
    let (mut first, mut second) = (optimistic(kv).await, optimistic(kv).await);
    first.lock(b("a"));
    second.lock(b("a"));
    commit(first).await;
    assert_eq!(conflict(second).await, (b("a"), ConflictReason::Written));
}

pub async fn an_insert_needs_an_absent_key(subject: Subject) {
    let kv = &*subject.kv;
    let mut txn = optimistic(kv).await;
    txn.insert(b("a"), b("1"));
    commit(txn).await;

    let mut again = optimistic(kv).await;
    again.insert(b("a"), b("2"));
    again.put(b("b"), b("2"));
    assert_eq!(conflict(again).await, (b("a"), ConflictReason::Exists));
    assert_eq!(all(kv).await, pairs(&[("a", "1")]));

    let mut removing = optimistic(kv).await;
    removing.delete(b("a"));
    commit(removing).await;
    let mut after = optimistic(kv).await;
    after.insert(b("a"), b("3"));
    commit(after).await;
    assert_eq!(get(kv, "a").await, Some(b("3")));
}

pub async fn of_two_inserts_one_conflicts(subject: Subject) {
    let kv = &*subject.kv;
    let (mut first, mut second) = (optimistic(kv).await, optimistic(kv).await);
    first.insert(b("a"), b("first"));
    second.insert(b("a"), b("second"));
    commit(first).await;
    conflict(second).await;
    assert_eq!(get(kv, "a").await, Some(b("first")));
}

pub async fn an_inserted_key_stays_demanded_absent(subject: Subject) {
    let kv = &*subject.kv;
    put(kv, "a", "1").await;
    let mut txn = optimistic(kv).await;
    txn.insert(b("a"), b("2"));
    txn.put(b("a"), b("3"));
    assert_eq!(conflict(txn).await, (b("a"), ConflictReason::Exists));
}

pub async fn reading_alone_never_conflicts(subject: Subject) {
    let kv = &*subject.kv;
    put(kv, "a", "1").await;
    let txn = optimistic(kv).await;
    assert_eq!(txn.get(b"a").await.unwrap(), Some(b("1")));
    put(kv, "a", "2").await;
    let read_at = txn.timestamp();
    assert_eq!(commit(txn).await, read_at);
}

pub async fn a_dropped_transaction_leaves_nothing(subject: Subject) {
    let kv = &*subject.kv;
    let mut paused = optimistic(kv).await;
    paused.put(b("a"), b("1"));
    let mut dropped = optimistic(kv).await;
    dropped.put(b("a"), b("dropped"));
    dropped.lock(b("b"));
    drop(dropped);
    commit(paused).await;
    assert_eq!(all(kv).await, pairs(&[("a", "1")]));
}

pub async fn a_conflict_leaves_nothing(subject: Subject) {
    let kv = &*subject.kv;
    let (mut failing, mut other) = (optimistic(kv).await, optimistic(kv).await);
    for key in ["a", "b", "c"] {
        failing.put(b(key), b("failed"));
    }
    other.put(b("c"), b("other"));
    put(kv, "b", "1").await;
    conflict(failing).await;
    commit(other).await;
    assert_eq!(
        all(kv).await,
        pairs(&[("b", "1"), ("c", "other")]),
        "and no mark on what it would have written"
    );
}

pub async fn timestamps_grow(subject: Subject) {
    let kv = &*subject.kv;
    let mut last = kv.snapshot().await.unwrap().timestamp();
    for turn in 0..3 {
        let committed = put(kv, "a", &turn.to_string()).await;
        assert!(committed > last, "{committed} is not after {last}");
        last = kv.snapshot().await.unwrap().timestamp();
        assert!(last >= committed, "a snapshot sees what was acknowledged before");
    }
}

pub async fn a_commit_runs_on_when_dropped(subject: Subject) {
    let kv = &*subject.kv;
    let mut txn = optimistic(kv).await;
    txn.put(b("a"), b("1"));
    txn.put(b("b"), b("1"));
    let polled_once = txn.commit().now_or_never();
    assert!(!matches!(polled_once, Some(Outcome::Conflict(_) | Outcome::Refused(_))), "{polled_once:?}");
    // Nothing tells when it has ended; if it never does, this test does not either.
    while get(kv, "a").await.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(all(kv).await, pairs(&[("a", "1"), ("b", "1")]));
}
