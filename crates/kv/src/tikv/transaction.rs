//! A transaction of a cluster.

use super::{age::Age, convert, shared::Shared};
use crate::{KeyRange, KvError, Outcome, ScanOptions, Timestamp, Transaction};
use async_trait::async_trait;
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::sync::OwnedSemaphorePermit;

/// A transaction, the age of what it reads, and its place among those that may be open.
pub(super) struct TikvTransaction {
    pub(super) shared: Arc<Shared>,
    pub(super) inner: braid_tikv::Transaction,
    pub(super) age: Age,
    pub(super) slot: OwnedSemaphorePermit,
}

impl TikvTransaction {
    /// As of [`TikvSnapshot`](super::snapshot::TikvSnapshot).
    fn answer<T>(&self, read: Result<T, braid_tikv::Error>) -> Result<T, KvError> {
        let read = read.map_err(|error| self.shared.failed(error))?;
        self.shared.ages.check(self.inner.timestamp(), self.age)?;
        Ok(read)
    }

    fn enter(&self, key: Bytes) -> Bytes {
        self.shared.keys.enter_owned(key)
    }
}

#[async_trait]
impl Transaction for TikvTransaction {
    fn timestamp(&self) -> Timestamp {
        u64::from(self.inner.timestamp()).into()
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        let key = self.shared.keys.enter(key);
        self.answer(self.inner.get(&key).await)
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        let keys: Vec<_> = keys.iter().map(|key| self.shared.keys.enter(key)).collect();
        self.answer(self.inner.batch_get(&keys).await)
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        let keys = &self.shared.keys;
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let read = self.inner.scan(&keys.enter_range(range), convert::options(options)).await;
        let pairs = self.answer(read)?;
        Ok(pairs.into_iter().map(|(key, value)| (keys.leave(&key), value)).collect())
    }

    fn put(&mut self, key: Bytes, value: Bytes) {
        let key = self.enter(key);
        self.inner.put(key, value);
    }

    fn delete(&mut self, key: Bytes) {
        let key = self.enter(key);
        self.inner.delete(key);
    }

    fn insert(&mut self, key: Bytes, value: Bytes) {
        let key = self.enter(key);
        self.inner.insert(key, value);
    }

    fn lock(&mut self, key: Bytes) {
        let key = self.enter(key);
        self.inner.lock(key);
    }

    async fn lock_for_update(&mut self, key: &[u8], wait: Duration) -> Result<Option<Bytes>, KvError> {
        let (age, entered) = (self.shared.ages.young(), self.shared.keys.enter(key));
        let held = self.inner.lock_for_update(&entered, wait).await;
        let value = held.map_err(|error| match self.shared.failed(error) {
            KvError::LockTimeout { key, .. } => KvError::LockTimeout { key, waited: wait },
            other => other,
        })?;
        self.shared.ages.note(self.inner.timestamp(), age);
        self.age = age;
        Ok(value)
    }

    async fn commit(self: Box<Self>) -> Outcome {
        let Self { shared, inner, slot, .. } = *self;
        let outcome = inner.commit().await;
        drop(slot);
        convert::outcome(outcome, &shared.keys)
    }
}
