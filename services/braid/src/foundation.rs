//! What a process stands on: its data folder if it has one, the master key, the way to the key-value store.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use braid_auth::{Keys, MasterKey};
use braid_kv::{Embedded, EmbeddedSettings, Kv, Tikv, TikvSettings, TikvUri};
use braid_objects::LocalStore;
use braid_types::{Clock, Random, SystemClock, SystemRandom};

use crate::config::KvConfig;
use crate::data_folder::DataFolder;
use crate::installation::{self, InstallationError};
use crate::storage::{LocalEndpoint, internal_key};

/// What a process stands on.
pub(crate) struct Foundation {
    folder: Option<DataFolder>,
    kv: KvPlace,
    cluster: TikvSettings,
    pub(crate) master: MasterKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

enum KvPlace {
    File(PathBuf),
    Cluster(TikvUri),
}

/// A key-value store that holds what this version knows.
pub(crate) struct OpenKv {
    pub(crate) kv: Arc<dyn Kv>,
    /// Which store it is, in words.
    pub(crate) home: String,
}

impl Foundation {
    /// Finds the parts. An embedded store needs the folder; without `master_key` it is the folder's.
    pub(crate) fn lay(
        folder: Option<DataFolder>,
        kv: &KvConfig,
        master_key: Option<MasterKey>,
    ) -> anyhow::Result<Self> {
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let kv = match (kv, &folder) {
            (KvConfig::Cluster(uri), _) => KvPlace::Cluster(uri.clone()),
            (KvConfig::Embedded, Some(folder)) => KvPlace::File(folder.kv_file()),
            (KvConfig::Embedded, None) => anyhow::bail!("an embedded key-value store needs a data folder"),
        };
        let master = match (master_key, &folder) {
            (Some(key), _) => key,
            (None, Some(folder)) => folder.master_key(&*random)?,
            (None, None) => anyhow::bail!("a server without a data folder must be given its master key"),
        };
        let cluster = TikvSettings::default();
        Ok(Self { folder, kv, cluster, master, clock: Arc::new(SystemClock), random })
    }

    /// The same where a cluster keeps old states so long.
    pub(crate) fn retaining(mut self, retention: Duration) -> Self {
        self.cluster.retention = retention;
        self
    }

    /// Where the key-value store is looked for, in words.
    pub(crate) fn kv_place(&self) -> String {
        match &self.kv {
            KvPlace::File(path) => path.display().to_string(),
            KvPlace::Cluster(uri) => uri.to_string(),
        }
    }

    /// Opens the key-value store and compares what it holds with what this version knows.
    pub(crate) async fn open_kv(&self) -> Result<OpenKv, InstallationError> {
        let clock = Arc::clone(&self.clock);
        let opened = match &self.kv {
            KvPlace::File(path) => {
                let kv = Embedded::open(path, EmbeddedSettings::default(), clock, &*self.random)?;
                let home = format!("the embedded store {}", hex::encode(kv.store_id()));
                OpenKv { kv: Arc::new(kv), home }
            }
            KvPlace::Cluster(uri) => {
                let kv = Tikv::connect(uri, self.cluster, clock, &*self.random).await?;
                let home = kv.home().to_owned();
                OpenKv { kv: Arc::new(kv), home }
            }
        };
        installation::claim(&*opened.kv, &opened.home).await?;
        Ok(opened)
    }

    /// The access keys in a store of this foundation.
    pub(crate) async fn keys(&self, kv: &Arc<dyn Kv>) -> anyhow::Result<Keys> {
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        Ok(Keys::open(Arc::clone(kv), &self.master, clock, random).await?)
    }

    /// The object store of the data folder, if there is one, as it is served at `http`.
    pub(crate) fn local_endpoint(
        &self,
        http: SocketAddr,
        public_url: Option<String>,
    ) -> anyhow::Result<Option<LocalEndpoint>> {
        let Some(folder) = &self.folder else {
            return Ok(None);
        };
        let endpoint = format!("http://{http}");
        let store = LocalStore::open(&folder.objects(), Arc::clone(&self.clock))
            .context("cannot open the object store")?;
        let public_url = public_url.unwrap_or_else(|| endpoint.clone());
        Ok(Some(LocalEndpoint { store, key: internal_key(&self.master), endpoint, public_url }))
    }
}
