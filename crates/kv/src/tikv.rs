//! The store in a TiKV cluster: any number of processes share it, and none keeps anything of it.
//!
//! Reads, writes and locks are the client's (`braid_tikv`). What is added here: the keys' place among others, the largest
//! age of a snapshot, how many transactions may be open, and the port's words for what can happen. A fence's stripes lie in
//! the range of the token that they guard, as on every store.

mod age;
mod convert;
mod keys;
mod settings;
mod shared;
mod snapshot;
#[cfg(any(test, feature = "testing"))]
mod testing;
#[cfg(test)]
mod tests;
mod transaction;
mod uri;

pub use settings::TikvSettings;
#[cfg(any(test, feature = "testing"))]
pub use testing::TestPlace;
pub use uri::{InvalidTikvUri, TikvTls, TikvUri};

use crate::{KeyRange, Kv, KvError, Mode, Snapshot, Timestamp, Transaction};
use age::Ages;
use async_trait::async_trait;
use braid_tikv::Client;
use braid_types::{Clock, Random};
use keys::Keys;
use shared::Shared;
use snapshot::TikvSnapshot;
use std::{fmt, sync::Arc, time::Duration};
use transaction::TikvTransaction;

/// A store in a cluster. Clones share it.
#[derive(Clone)]
pub struct Tikv {
    shared: Arc<Shared>,
    lanes: u16,
    home: Arc<str>,
}

impl Tikv {
    /// Opens the store in the cluster that `uri` names. Needs one of its PD servers, and a Tokio runtime that outlives the
    /// store.
    ///
    /// # Errors
    /// [`KvError::Unavailable`] when the cluster does not answer, [`KvError::Cluster`] when it is not one to work with: it
    /// has no such keyspace, or its servers belong to different clusters.
    pub async fn connect(
        uri: &TikvUri,
        settings: TikvSettings,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Result<Self, KvError> {
        let keys = settings::keys(uri);
        let client = settings.client(uri, &keys);
        Self::connect_as(uri, keys, client, settings, clock, random).await
    }

    /// The same with keys elsewhere, and other settings of the client.
    async fn connect_as(
        uri: &TikvUri,
        keys: Keys,
        client: braid_tikv::Settings,
        settings: TikvSettings,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Result<Self, KvError> {
        let seed = u64::from_be_bytes(random.bytes());
        let client = Client::connect(uri.endpoints(), client, seed).await;
        let client = client.map_err(|error| convert::error(error, &keys))?;
        Ok(Self::over(client, uri, keys, settings, clock))
    }

    /// The store that `client` reaches at `uri`.
    fn over(
        client: Client,
        uri: &TikvUri,
        keys: Keys,
        settings: TikvSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let home = match uri.keyspace() {
            Some(keyspace) => format!("keyspace '{keyspace}' of TiKV cluster {}", client.cluster()),
            None => format!("TiKV cluster {}", client.cluster()),
        };
        let ages = Ages::new(settings.max_snapshot_age, settings.pins, clock);
        let shared = Arc::new(Shared::new(client, keys, ages, settings.limits));
        Self { shared, lanes: settings.lanes, home: home.into() }
    }

    /// Which store this is, for people, and to compare: the cluster's id and the keyspace.
    pub fn home(&self) -> &str {
        &self.home
    }
}

impl fmt::Debug for Tikv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tikv").field("home", &self.home).finish_non_exhaustive()
    }
}

#[async_trait]
impl Kv for Tikv {
    async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, KvError> {
        let (timestamp, age) = self.shared.now().await?;
        let inner = self.shared.client.snapshot_at(timestamp);
        Ok(Arc::new(TikvSnapshot { shared: Arc::clone(&self.shared), inner, age }))
    }

    async fn snapshot_at(&self, timestamp: Timestamp) -> Result<Arc<dyn Snapshot>, KvError> {
        self.shared.not_closed()?;
        let timestamp = u64::from(timestamp).into();
        let age = self.shared.age_of(timestamp).await?;
        let inner = self.shared.client.snapshot_at(timestamp);
        Ok(Arc::new(TikvSnapshot { shared: Arc::clone(&self.shared), inner, age }))
    }

    async fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction>, KvError> {
        let (shared, slot) = (Arc::clone(&self.shared), self.shared.slot()?);
        let age = shared.ages.young();
        let begun = shared.client.begin(convert::mode(mode)).await;
        let inner = begun.map_err(|error| shared.failed(error))?;
        shared.ages.note(inner.timestamp(), age);
        Ok(Box::new(TikvTransaction { shared, inner, age, slot }))
    }

    async fn destroy(&self, range: KeyRange) -> Result<(), KvError> {
        self.shared.not_closed()?;
        if range.is_empty() {
            return Ok(());
        }
        self.shared.clear_locks().await?;
        let destroyed = self.shared.client.destroy_range(&self.shared.keys.enter_range(&range)).await;
        destroyed.map_err(|error| self.shared.failed(error))
    }

    async fn collect_garbage(&self) -> Result<(), KvError> {
        self.shared.not_closed()?;
        let collected = self.shared.client.collect_garbage().await;
        collected.map(|_| ()).map_err(|error| self.shared.failed(error))
    }

    fn lanes(&self) -> u16 {
        self.lanes
    }

    fn max_snapshot_age(&self) -> Duration {
        self.shared.ages.max()
    }

    async fn close(&self) {
        self.shared.close().await;
    }
}
