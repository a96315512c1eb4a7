//! Short words for what the tests do.

use crate::{Conflict, ConflictReason, KeyRange, Kv, Mode, Outcome, ScanOptions, Timestamp, Transaction};
use bytes::Bytes;
use std::time::Duration;

/// Longer than any wait that ends well.
pub(super) const LONG: Duration = Duration::from_secs(20);
/// Long enough to be a wait.
pub(super) const SHORT: Duration = Duration::from_millis(20);

pub(super) fn b(text: impl AsRef<str>) -> Bytes {
    Bytes::copy_from_slice(text.as_ref().as_bytes())
}

pub(super) fn pairs(pairs: &[(&str, &str)]) -> Vec<(Bytes, Bytes)> {
    pairs.iter().map(|(key, value)| (b(key), b(value))).collect()
}

pub(super) async fn optimistic(kv: &dyn Kv) -> Box<dyn Transaction> {
    kv.begin(Mode::Optimistic).await.unwrap()
}

pub(super) async fn pessimistic(kv: &dyn Kv) -> Box<dyn Transaction> {
    kv.begin(Mode::Pessimistic).await.unwrap()
}

/// Commits what must be committed.
pub(super) async fn commit(txn: Box<dyn Transaction>) -> Timestamp {
    match txn.commit().await {
        Outcome::Committed(timestamp) => timestamp,
        other => panic!("not committed: {other:?}"),
    }
}

/// Commits what must not be; returns the key and the reason.
pub(super) async fn conflict(txn: Box<dyn Transaction>) -> (Bytes, ConflictReason) {
    match txn.commit().await {
        Outcome::Conflict(Conflict { key, reason }) => (key, reason),
        other => panic!("no conflict: {other:?}"),
    }
}

pub(super) async fn put(kv: &dyn Kv, key: &str, value: &str) -> Timestamp {
    put_all(kv, &[(key, value)]).await
}

pub(super) async fn put_all(kv: &dyn Kv, pairs: &[(&str, &str)]) -> Timestamp {
    let mut txn = optimistic(kv).await;
    for (key, value) in pairs {
        txn.put(b(key), b(value));
    }
    commit(txn).await
}

pub(super) async fn get(kv: &dyn Kv, key: &str) -> Option<Bytes> {
    kv.snapshot().await.unwrap().get(key.as_bytes()).await.unwrap()
}

/// Everything in the store.
pub(super) async fn all(kv: &dyn Kv) -> Vec<(Bytes, Bytes)> {
    let snapshot = kv.snapshot().await.unwrap();
    snapshot.scan(&KeyRange::all(), ScanOptions::first(usize::MAX)).await.unwrap()
}

/// Whether it committed; otherwise it conflicted, and is to be done again.
pub(super) async fn committed(txn: Box<dyn Transaction>) -> bool {
    match txn.commit().await {
        Outcome::Committed(_) => true,
        Outcome::Conflict(_) => {
            tokio::task::yield_now().await;
            false
        }
        other => panic!("neither committed nor a conflict: {other:?}"),
    }
}
