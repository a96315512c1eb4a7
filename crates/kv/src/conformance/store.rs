//! The store as a whole: destroying ranges, limits, closing.

use super::{
    Subject,
    support::{all, b, commit, get, optimistic, pairs, pessimistic, put, put_all},
};
use crate::{ErrorKind, KeyRange, Kv, KvError, Measure, Mode, Outcome, Transaction};
use bytes::Bytes;

pub async fn a_range_is_destroyed_and_nothing_else(subject: Subject) {
    let kv = &*subject.kv;
    let rest = [("a", "1"), ("c", "5")];
    put_all(kv, &[("a", "1"), ("b", "2"), ("ba", "3"), ("bz", "4"), ("c", "5")]).await;
    for _ in 0..2 {
        kv.destroy(KeyRange::prefix(b"b")).await.unwrap();
        assert_eq!(all(kv).await, pairs(&rest));
    }
    kv.destroy(KeyRange::new(b("c"), b("a"))).await.unwrap();
    assert_eq!(all(kv).await, pairs(&rest));
    put(kv, "b", "new").await;
    assert_eq!(get(kv, "b").await, Some(b("new")));
    kv.destroy(KeyRange::all()).await.unwrap();
    assert_eq!(all(kv).await, []);
}

pub async fn a_large_range_is_destroyed(subject: Subject) {
    let kv = &*subject.kv;
    let mut txn = optimistic(kv).await;
    for key in 0..10_000 {
        txn.put(b(format!("b{key:05}")), Bytes::new());
    }
    commit(txn).await;
    put(kv, "c", "1").await;
    kv.destroy(KeyRange::prefix(b"b")).await.unwrap();
    assert_eq!(all(kv).await, pairs(&[("c", "1")]));
}

pub async fn what_is_too_large_is_refused(subject: Subject) {
    let Some(limits) = subject.limits else { return };
    let kv = &*subject.kv;
    refused(kv, Measure::KeyLength, |txn| {
        txn.put(Bytes::from(vec![b'k'; limits.key_length + 1]), b("v"));
    })
    .await;
    refused(kv, Measure::ValueLength, |txn| {
        txn.put(b("k"), Bytes::from(vec![b'v'; limits.value_length + 1]));
    })
    .await;
    refused(kv, Measure::Bytes, |txn| {
        let value = Bytes::from(vec![b'v'; limits.value_length]);
        for key in 0..=limits.bytes / limits.value_length {
            txn.put(b(key.to_string()), value.clone());
        }
    })
    .await;
    refused(kv, Measure::Keys, |txn| {
        (0..=limits.keys).for_each(|key| txn.lock(b(key.to_string())));
    })
    .await;
}

async fn refused(kv: &dyn Kv, measure: Measure, fill: impl FnOnce(&mut dyn Transaction)) {
    let mut txn = optimistic(kv).await;
    txn.put(b("a"), b("1"));
    fill(&mut *txn);
    match txn.commit().await {
        Outcome::Refused(error @ KvError::TooLarge { what, .. }) => {
            assert_eq!((what, error.kind()), (measure, ErrorKind::Refused));
        }
        other => panic!("{measure}: {other:?}"),
    }
    assert_eq!(get(kv, "a").await, None);
}

pub async fn too_many_transactions_are_refused(subject: Subject) {
    let Some(limits) = subject.limits else { return };
    let kv = &*subject.kv;
    let mut open = Vec::new();
    for _ in 0..limits.transactions {
        open.push(optimistic(kv).await);
    }
    let refused = kv.begin(Mode::Optimistic).await.err().unwrap();
    assert_eq!(refused, KvError::Busy { limit: limits.transactions });
    assert!(refused.is_retryable());
    let mut last = open.pop().unwrap();
    last.put(b("a"), b("1"));
    commit(last).await;
    put(kv, "b", "1").await;
}

pub async fn a_closed_store_says_so(subject: Subject) {
    let kv = &*subject.kv;
    put(kv, "a", "1").await;
    let snapshot = kv.snapshot().await.unwrap();
    let (mut writing, mut holding) = (optimistic(kv).await, pessimistic(kv).await);
    writing.put(b("b"), b("1"));
    kv.close().await;
    kv.close().await;

    let closed = Some(KvError::Closed);
    assert_eq!(kv.snapshot().await.err(), closed);
    assert_eq!(kv.snapshot_at(snapshot.timestamp()).await.err(), closed);
    assert_eq!(snapshot.get(b"a").await.err(), closed);
    assert_eq!(kv.begin(Mode::Optimistic).await.err(), closed);
    assert_eq!(holding.lock_for_update(b"a", std::time::Duration::ZERO).await.err(), closed);
    assert_eq!(writing.commit().await, Outcome::Refused(KvError::Closed));
    assert_eq!(kv.destroy(KeyRange::all()).await.err(), closed);
}
