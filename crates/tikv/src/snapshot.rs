//! Reads at one timestamp.

mod get;
mod obstacle;
mod scan;

use std::sync::Arc;

use bytes::Bytes;

pub(crate) use obstacle::Obstacle;

use crate::core::Core;
use crate::range::{KeyRange, ScanOptions};
use crate::{Error, Timestamp};

/// One state of the cluster. It may be read from many tasks at once.
///
/// Stores do not say when they have forgotten a state: nothing older than what
/// [`Client::collect_garbage`](crate::Client::collect_garbage) returned may be read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    core: Arc<Core>,
    timestamp: Timestamp,
}

impl Snapshot {
    pub(crate) fn new(core: Arc<Core>, timestamp: Timestamp) -> Self {
        Self { core, timestamp }
    }

    /// Names this state.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The value of a key.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.core.check_open()?;
        get::get(&self.core, self.timestamp, self.core.keyspace.enter_slice(key)).await
    }

    /// The values of many keys, in the order of the keys.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn batch_get(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, Error> {
        self.core.check_open()?;
        let keys: Vec<Bytes> = keys.iter().map(|key| self.core.keyspace.enter(key)).collect();
        let values = get::batch_get(&self.core, self.timestamp, keys.clone()).await?;
        Ok(keys.iter().map(|key| values.get(key).cloned()).collect())
    }

    /// Keys and values of a range, in order.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, Error> {
        self.core.check_open()?;
        let range = self.core.keyspace.enter_range(range);
        let pairs = scan::scan(&self.core, self.timestamp, range, options).await?;
        Ok(pairs.into_iter().map(|(key, value)| (self.core.keyspace.leave(&key), value)).collect())
    }
}
