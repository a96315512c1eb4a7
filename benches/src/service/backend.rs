//! The two kinds of servers that transactions are measured on: everything in one folder, and mutable state in a cluster.
//!
//! The cluster is the protocol server of the TiKV client's tests, in memory and in this process: what is measured on it is what Braid
//! and the protocol cost, not what a cluster does.

use std::path::Path;
use std::sync::Arc;

use braid::{KvConfig, Server, ServerConfig};
use braid_kv::{Embedded, EmbeddedSettings, Kv, Tikv, TikvSettings, TikvUri};
use braid_tikv::testing::{Options, TestCluster};
use braid_types::{SystemClock, SystemRandom};

/// The cluster's keyspaces: of the server, and of the bare store.
const SERVED: &str = "served";
const BARE: &str = "bare";

/// Where mutable state is kept.
pub(super) enum Backend {
    /// In the folder of the data.
    Embedded,
    /// In a cluster.
    Tikv(TestCluster),
}

impl Backend {
    /// A cluster that has nothing.
    pub(super) async fn tikv() -> anyhow::Result<Self> {
        let keyspaces = vec![(SERVED.to_owned(), 1), (BARE.to_owned(), 2)];
        Ok(Self::Tikv(TestCluster::start(Options { stores: 3, keyspaces, ..Options::default() }).await?))
    }

    /// A figure's name on this backend.
    pub(super) fn name(&self, figure: &str) -> String {
        match self {
            Self::Embedded => format!("{figure}_embedded"),
            Self::Tikv(_) => format!("{figure}_tikv"),
        }
    }

    /// A server whose data is in this folder.
    pub(super) async fn serve(&self, data: &Path) -> anyhow::Result<Server> {
        let config = ServerConfig::in_folder(data);
        let kv = match self {
            Self::Embedded => KvConfig::Embedded,
            Self::Tikv(cluster) => KvConfig::Cluster(uri(cluster, SERVED)?),
        };
        Box::pin(Server::start(ServerConfig { kv, ..config })).await
    }

    /// Another store of the same kind, which nobody else uses.
    pub(super) async fn bare_store(&self, folder: &Path) -> anyhow::Result<Arc<dyn Kv>> {
        let clock = Arc::new(SystemClock);
        match self {
            Self::Embedded => {
                let settings = EmbeddedSettings::default();
                Ok(Arc::new(Embedded::open(&folder.join("bare.redb"), settings, clock, &SystemRandom)?))
            }
            Self::Tikv(cluster) => {
                let uri = uri(cluster, BARE)?;
                Ok(Arc::new(Tikv::connect(&uri, TikvSettings::default(), clock, &SystemRandom).await?))
            }
        }
    }

    /// Ends the cluster, if there is one.
    pub(super) async fn stop(self) {
        if let Self::Tikv(cluster) = self {
            cluster.shutdown().await;
        }
    }
}

fn uri(cluster: &TestCluster, keyspace: &str) -> anyhow::Result<TikvUri> {
    Ok(format!("tikv://{}?keyspace={keyspace}", cluster.endpoints().join(",")).parse()?)
}
