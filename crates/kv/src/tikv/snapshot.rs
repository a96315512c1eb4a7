//! One state of a cluster.

use super::{age::Age, convert, shared::Shared};
use crate::{KeyRange, KvError, ScanOptions, Snapshot, Timestamp};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;

/// A state and its age.
pub(super) struct TikvSnapshot {
    pub(super) shared: Arc<Shared>,
    pub(super) inner: braid_tikv::Snapshot,
    pub(super) age: Age,
}

impl TikvSnapshot {
    /// What was read, if the state was still young when it had been: a store that has forgotten versions answers wrongly
    /// without an error.
    fn answer<T>(&self, read: Result<T, braid_tikv::Error>) -> Result<T, KvError> {
        let read = read.map_err(|error| self.shared.failed(error))?;
        self.shared.ages.check(self.inner.timestamp(), self.age)?;
        Ok(read)
    }
}

#[async_trait]
impl Snapshot for TikvSnapshot {
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

    fn pin(&self) {
        self.shared.ages.pin(self.inner.timestamp(), self.age);
    }
}
