//! Pessimistic transactions: keys held for update.

use super::{
    Subject,
    support::{LONG, SHORT, all, b, commit, conflict, get, optimistic, pairs, pessimistic, put},
};
use crate::{ConflictReason, KvError};
use std::{sync::Arc, time::Duration};

pub async fn holding_gives_the_newest_value_and_time(subject: Subject) {
    let kv = &*subject.kv;
    put(kv, "a", "old").await;
    let mut txn = pessimistic(kv).await;
    let began = txn.timestamp();
    assert_eq!(txn.get(b"a").await.unwrap(), Some(b("old")));
    put(kv, "a", "new").await;
    let written = put(kv, "b", "new").await;
    assert_eq!(txn.get(b"b").await.unwrap(), None);

    assert_eq!(txn.lock_for_update(b"a", LONG).await.unwrap(), Some(b("new")));
    assert!(txn.timestamp() >= written && written > began);
    assert_eq!(txn.get(b"b").await.unwrap(), Some(b("new")), "everything is read as of now");
    txn.put(b("a"), b("newest"));
    commit(txn).await;
    assert_eq!(get(kv, "a").await, Some(b("newest")));
}

pub async fn holding_again_is_no_wait(subject: Subject) {
    let kv = &*subject.kv;
    put(kv, "a", "1").await;
    let mut txn = pessimistic(kv).await;
    for _ in 0..2 {
        assert_eq!(txn.lock_for_update(b"a", Duration::ZERO).await.unwrap(), Some(b("1")));
    }
    txn.put(b("a"), b("2"));
    let value = txn.lock_for_update(b"a", Duration::ZERO).await.unwrap();
    assert_eq!(value, Some(b("1")), "the value is the committed one");
    commit(txn).await;
    assert_eq!(get(kv, "a").await, Some(b("2")));
}

pub async fn an_absent_key_can_be_held(subject: Subject) {
    let kv = &*subject.kv;
    let mut txn = pessimistic(kv).await;
    assert_eq!(txn.lock_for_update(b"a", LONG).await.unwrap(), None);
    let mut other = optimistic(kv).await;
    other.insert(b("a"), b("other"));
    assert_eq!(conflict(other).await, (b("a"), ConflictReason::Held));
    txn.insert(b("a"), b("1"));
    commit(txn).await;
    assert_eq!(get(kv, "a").await, Some(b("1")));
}

pub async fn a_held_key_refuses_writes_and_locks_of_others(subject: Subject) {
    let kv = &*subject.kv;
    let mut holder = pessimistic(kv).await;
    holder.lock_for_update(b"a", LONG).await.unwrap();
    let (mut writing, mut locking, mut elsewhere) =
        (optimistic(kv).await, optimistic(kv).await, optimistic(kv).await);
    writing.put(b("a"), b("other"));
    locking.lock(b("a"));
    elsewhere.put(b("b"), b("1"));
    assert_eq!(conflict(writing).await, (b("a"), ConflictReason::Held));
    assert_eq!(conflict(locking).await, (b("a"), ConflictReason::Held));
    commit(elsewhere).await;
    holder.put(b("a"), b("1"));
    commit(holder).await;
    put(kv, "a", "2").await;
}

pub async fn a_dropped_holder_lets_go(subject: Subject) {
    let kv = &*subject.kv;
    let mut holder = pessimistic(kv).await;
    holder.lock_for_update(b"a", LONG).await.unwrap();
    holder.put(b("a"), b("dropped"));
    drop(holder);
    let mut next = pessimistic(kv).await;
    assert_eq!(next.lock_for_update(b"a", LONG).await.unwrap(), None);
    next.put(b("a"), b("1"));
    commit(next).await;
    assert_eq!(get(kv, "a").await, Some(b("1")));
}

pub async fn the_next_holder_waits_and_sees_what_the_first_wrote(subject: Subject) {
    let kv = &*subject.kv;
    let mut first = pessimistic(kv).await;
    first.lock_for_update(b"a", LONG).await.unwrap();
    let mut second = pessimistic(kv).await;
    let waiting = tokio::spawn(async move {
        let value = second.lock_for_update(b"a", LONG).await.unwrap();
        (second, value)
    });
    first.put(b("a"), b("first"));
    let written = commit(first).await;
    let (second, value) = waiting.await.unwrap();
    assert_eq!(value, Some(b("first")));
    assert!(second.timestamp() >= written);
}

pub async fn a_wait_for_a_holder_ends(subject: Subject) {
    let kv = &*subject.kv;
    let mut holder = pessimistic(kv).await;
    holder.lock_for_update(b"a", LONG).await.unwrap();
    let mut second = pessimistic(kv).await;
    let refused = second.lock_for_update(b"a", SHORT).await.unwrap_err();
    assert_eq!(refused, KvError::LockTimeout { key: b("a"), waited: SHORT });
    assert!(refused.is_retryable());
    assert_eq!(second.lock_for_update(b"b", LONG).await.unwrap(), None, "the transaction is still usable");
    drop(holder);
    second.lock_for_update(b"a", LONG).await.unwrap();
}

pub async fn two_that_wait_for_each_other_do_not_wait_for_ever(subject: Subject) {
    let kv = &subject.kv;
    let (mut first, mut second) = (pessimistic(&**kv).await, pessimistic(&**kv).await);
    first.lock_for_update(b"a", LONG).await.unwrap();
    second.lock_for_update(b"b", LONG).await.unwrap();
    let barrier = Arc::new(tokio::sync::Barrier::new(2));
    let other_barrier = Arc::clone(&barrier);
    // Whoever is refused is dropped, which lets the other go on.
    let one = tokio::spawn(async move {
        barrier.wait().await;
        first.lock_for_update(b"b", LONG).await
    });
    let other = tokio::spawn(async move {
        other_barrier.wait().await;
        second.lock_for_update(b"a", LONG).await
    });
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    let refused = one.as_ref().err().xor(other.as_ref().err()).expect("one is refused");
    assert!(matches!(refused, KvError::Deadlock { .. } | KvError::LockTimeout { .. }), "{refused}");
    assert!(refused.is_retryable());
}

pub async fn a_key_not_held_is_checked_at_commit(subject: Subject) {
    let kv = &*subject.kv;
    let mut txn = pessimistic(kv).await;
    txn.lock_for_update(b"a", LONG).await.unwrap();
    txn.put(b("a"), b("1"));
    txn.put(b("b"), b("1"));
    put(kv, "b", "other").await;
    assert_eq!(conflict(txn).await, (b("b"), ConflictReason::Written));
    assert_eq!(all(kv).await, pairs(&[("b", "other")]));
    put(kv, "a", "free").await;
}

pub async fn what_was_written_before_holding_is_checked_as_of_then(subject: Subject) {
    let kv = &*subject.kv;
    let mut early = pessimistic(kv).await;
    early.put(b("b"), b("from the old state"));
    put(kv, "b", "other").await;
    early.lock_for_update(b"a", LONG).await.unwrap();
    early.put(b("b"), b("again"));
    assert_eq!(conflict(early).await, (b("b"), ConflictReason::Written));

    let mut late = pessimistic(kv).await;
    put(kv, "b", "another").await;
    late.lock_for_update(b"a", LONG).await.unwrap();
    late.put(b("b"), b("from the new state"));
    commit(late).await;
    assert_eq!(get(kv, "b").await, Some(b("from the new state")));
}
