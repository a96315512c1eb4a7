//! Reading ahead: many keys in one request, each answered from memory when it is asked for.
//!
//! Code that reads record after record takes a round trip for each. Where the keys can be guessed they are read at once;
//! a wrong guess costs nothing but its place in that request. What is answered is the state that the reader reads, so
//! nothing else changes.

use crate::{KeyRange, KvError, Outcome, ScanOptions, Snapshot, Timestamp, Transaction};
use async_trait::async_trait;
use bytes::Bytes;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// What was read ahead.
#[derive(Debug, Default)]
struct Known(HashMap<Bytes, Option<Bytes>>);

impl Known {
    fn new(keys: &[Bytes], values: Vec<Option<Bytes>>) -> Self {
        Self(keys.iter().cloned().zip(values).collect())
    }

    fn get(&self, key: &[u8]) -> Option<Option<Bytes>> {
        self.0.get(key).cloned()
    }

    /// The values of `keys` as far as they are known, and the keys that are not.
    fn split(&self, keys: &[Bytes]) -> (Vec<Option<Option<Bytes>>>, Vec<Bytes>) {
        let values: Vec<_> = keys.iter().map(|key| self.get(key)).collect();
        let missing = keys.iter().zip(&values).filter(|(_, value)| value.is_none());
        let missing = missing.map(|(key, _)| key.clone()).collect();
        (values, missing)
    }
}

/// Fills the gaps of `known` with `read`, in order.
fn fill(known: Vec<Option<Option<Bytes>>>, read: Vec<Option<Bytes>>) -> Vec<Option<Bytes>> {
    let mut read = read.into_iter();
    let mut next = || read.next().expect("every missing key was read");
    known.into_iter().map(|value| value.unwrap_or_else(&mut next)).collect()
}

/// A snapshot that has read `keys`.
pub async fn snapshot_ahead(
    snapshot: Arc<dyn Snapshot>,
    keys: &[Bytes],
) -> Result<Arc<dyn Snapshot>, KvError> {
    let known = Known::new(keys, snapshot.get_many(keys).await?);
    Ok(Arc::new(SnapshotAhead { inner: snapshot, known }))
}

/// A transaction that has read `keys`.
pub async fn transaction_ahead(
    transaction: Box<dyn Transaction>,
    keys: &[Bytes],
) -> Result<Box<dyn Transaction>, KvError> {
    let known = Known::new(keys, transaction.get_many(keys).await?);
    Ok(Box::new(TransactionAhead { inner: transaction, known }))
}

struct SnapshotAhead {
    inner: Arc<dyn Snapshot>,
    known: Known,
}

#[async_trait]
impl Snapshot for SnapshotAhead {
    fn timestamp(&self) -> Timestamp {
        self.inner.timestamp()
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        match self.known.get(key) {
            Some(value) => Ok(value),
            None => self.inner.get(key).await,
        }
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        match self.known.split(keys) {
            (known, missing) if missing.is_empty() => Ok(fill(known, Vec::new())),
            (known, missing) => Ok(fill(known, self.inner.get_many(&missing).await?)),
        }
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        self.inner.scan(range, options).await
    }

    fn pin(&self) {
        self.inner.pin();
    }
}

struct TransactionAhead {
    inner: Box<dyn Transaction>,
    /// Without the keys that were written since.
    known: Known,
}

#[async_trait]
impl Transaction for TransactionAhead {
    fn timestamp(&self) -> Timestamp {
        self.inner.timestamp()
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        match self.known.get(key) {
            Some(value) => Ok(value),
            None => self.inner.get(key).await,
        }
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        match self.known.split(keys) {
            (known, missing) if missing.is_empty() => Ok(fill(known, Vec::new())),
            (known, missing) => Ok(fill(known, self.inner.get_many(&missing).await?)),
        }
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        self.inner.scan(range, options).await
    }

    fn put(&mut self, key: Bytes, value: Bytes) {
        self.known.0.remove(&key);
        self.inner.put(key, value);
    }

    fn delete(&mut self, key: Bytes) {
        self.known.0.remove(&key);
        self.inner.delete(key);
    }

    fn insert(&mut self, key: Bytes, value: Bytes) {
        self.known.0.remove(&key);
        self.inner.insert(key, value);
    }

    fn lock(&mut self, key: Bytes) {
        self.inner.lock(key);
    }

    async fn lock_for_update(&mut self, key: &[u8], wait: Duration) -> Result<Option<Bytes>, KvError> {
        // The state that is read moves.
        self.known.0.clear();
        self.inner.lock_for_update(key, wait).await
    }

    async fn commit(self: Box<Self>) -> Outcome {
        self.inner.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kv, Memory, MemorySettings, Mode};
    use braid_types::SystemClock;
    use parking_lot::Mutex;

    fn b(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    async fn filled() -> Memory {
        let kv = Memory::new(MemorySettings::default(), Arc::new(SystemClock));
        let mut txn = kv.begin(Mode::Optimistic).await.unwrap();
        txn.put(b("a"), b("1"));
        txn.put(b("b"), b("2"));
        assert!(matches!(txn.commit().await, Outcome::Committed(_)));
        kv
    }

    /// A snapshot that notes which keys it was asked for.
    struct Asked {
        inner: Arc<dyn Snapshot>,
        keys: Arc<Mutex<Vec<Bytes>>>,
    }

    #[async_trait]
    impl Snapshot for Asked {
        fn timestamp(&self) -> Timestamp {
            self.inner.timestamp()
        }
        async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
            self.keys.lock().push(Bytes::copy_from_slice(key));
            self.inner.get(key).await
        }
        async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
            self.keys.lock().extend_from_slice(keys);
            self.inner.get_many(keys).await
        }
        async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
            self.inner.scan(range, options).await
        }
        fn pin(&self) {
            self.inner.pin();
        }
    }

    #[tokio::test]
    async fn what_was_read_ahead_is_not_read_again() {
        let keys = Arc::new(Mutex::new(Vec::new()));
        let inner = filled().await.snapshot().await.unwrap();
        let asked = Arc::new(Asked { inner, keys: Arc::clone(&keys) });
        let ahead = snapshot_ahead(asked, &[b("a"), b("x")]).await.unwrap();
        assert_eq!(std::mem::take(&mut *keys.lock()), [b("a"), b("x")]);
        assert_eq!(ahead.get(b"a").await.unwrap(), Some(b("1")));
        let found = ahead.get_many(&[b("x"), b("b"), b("a"), b("c"), b("b")]).await.unwrap();
        assert_eq!(found, [None, Some(b("2")), Some(b("1")), None, Some(b("2"))]);
        assert_eq!(*keys.lock(), [b("b"), b("c"), b("b")]);
    }

    #[tokio::test]
    async fn a_transaction_sees_its_own_writes_all_the_same() {
        let kv = filled().await;
        let inner = kv.begin(Mode::Optimistic).await.unwrap();
        let mut txn = transaction_ahead(inner, &[b("a"), b("b"), b("c"), b("d")]).await.unwrap();
        txn.put(b("a"), b("own"));
        txn.delete(b("b"));
        txn.insert(b("c"), b("own"));
        txn.lock(b("d"));
        for (key, value) in [("a", Some("own")), ("b", None), ("c", Some("own")), ("d", None)] {
            assert_eq!(txn.get(key.as_bytes()).await.unwrap(), value.map(b), "{key}");
        }
        let all = [b("a"), b("b"), b("c")];
        assert_eq!(txn.get_many(&all).await.unwrap(), [Some(b("own")), None, Some(b("own"))]);
    }

    #[tokio::test]
    async fn what_was_read_ahead_is_forgotten_when_the_state_moves() {
        let kv = filled().await;
        let inner = kv.begin(Mode::Pessimistic).await.unwrap();
        let mut txn = transaction_ahead(inner, &[b("a"), b("b")]).await.unwrap();
        let mut other = kv.begin(Mode::Optimistic).await.unwrap();
        other.put(b("a"), b("new"));
        assert!(matches!(other.commit().await, Outcome::Committed(_)));
        assert_eq!(txn.get(b"a").await.unwrap(), Some(b("1")));
        txn.lock_for_update(b"b", Duration::ZERO).await.unwrap();
        assert_eq!(txn.get(b"a").await.unwrap(), Some(b("new")));
    }
}
