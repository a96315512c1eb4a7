//! One process with everything: metadata service, embedded key-value store, local object store.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use braid_auth::{Keys, NewKey};
use braid_cache::{CacheOptions, RangeMemory};
use braid_kv::{Embedded, EmbeddedSettings, Kv};
use braid_metadata::{Metadata, Parts, Settings};
use braid_objects::LocalStore;
use braid_types::{Clock, Random, SystemClock, SystemRandom};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::data_folder::DataFolder;
use crate::http;
use crate::storage::{LocalEndpoint, StorageConfig, internal_key};

/// How long transfers may go on after a shutdown began.
const HTTP_DRAIN: Duration = Duration::from_secs(30);

/// What to serve, and where.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The data folder.
    pub data: PathBuf,
    /// Where gRPC is served; port 0 takes a free one.
    pub grpc: SocketAddr,
    /// Where the object store and health are served; port 0 takes a free one.
    pub http: SocketAddr,
    /// What presigned URLs of the local store begin with; `None` is the HTTP address.
    pub public_url: Option<String>,
    /// Where data and committed trees are kept.
    pub storage: StorageConfig,
}

/// A server that runs in this process.
pub struct Server {
    grpc: SocketAddr,
    http: SocketAddr,
    first_key: Option<NewKey>,
    stop: CancellationToken,
    http_stop: CancellationToken,
    tasks: Tasks,
    keys: Arc<Keys>,
    kv: Arc<dyn Kv>,
    _folder: DataFolder,
}

struct Tasks {
    grpc: JoinHandle<anyhow::Result<()>>,
    http: JoinHandle<anyhow::Result<()>>,
}

impl Server {
    /// Opens the data folder and serves it.
    pub async fn start(config: ServerConfig) -> anyhow::Result<Self> {
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) =
            (Arc::new(SystemClock), Arc::new(SystemRandom));
        let folder = DataFolder::open(&config.data)?;
        let master = folder.master_key(&*random)?;
        let kv =
            Embedded::open(&folder.kv_file(), EmbeddedSettings::default(), Arc::clone(&clock), &*random)?;
        let kv: Arc<dyn Kv> = Arc::new(kv);
        let keys = Keys::open(Arc::clone(&kv), &master, Arc::clone(&clock), Arc::clone(&random)).await?;
        let (grpc, http) = (http::bind(config.grpc, "gRPC").await?, http::bind(config.http, "HTTP").await?);
        let (grpc_address, http_address) = (grpc.local_addr()?, http.local_addr()?);
        let endpoint = format!("http://{}", reachable(http_address));
        let local = LocalEndpoint {
            store: LocalStore::open(&folder.objects(), Arc::clone(&clock))
                .context("cannot open the object store")?,
            key: internal_key(&master),
            public_url: config.public_url.clone().unwrap_or_else(|| endpoint.clone()),
            endpoint,
        };
        let first_key = keys.create_first_admin().await?;
        let keys = Arc::new(keys);
        let parts = Parts {
            kv: Arc::clone(&kv),
            stores: config.storage.stores(&local, Arc::clone(&clock), Arc::clone(&random)),
            range_memory: Arc::new(RangeMemory::new(CacheOptions::default())),
            keys: Arc::clone(&keys),
            intent_key: master.derive("upload intents"),
            clock,
            random,
        };
        let settings = Settings {
            default_storage_prefix: config.storage.default_prefix(),
            storage_kind: config.storage.kind().to_owned(),
            ..Settings::default()
        };
        let (stop, http_stop) = (CancellationToken::new(), CancellationToken::new());
        let tasks = Tasks {
            grpc: spawn_grpc(Metadata::new(parts, settings)?, grpc, stop.clone()),
            http: spawn_http(http, local, http_stop.clone(), stop.clone()),
        };
        Ok(Self {
            grpc: grpc_address,
            http: http_address,
            first_key,
            stop,
            http_stop,
            tasks,
            keys,
            kv,
            _folder: folder,
        })
    }

    /// Where gRPC is served.
    pub fn grpc_address(&self) -> SocketAddr {
        self.grpc
    }

    /// Where HTTP is served.
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// The administrator's key, if this is the first start of the data folder.
    pub fn first_key(&self) -> Option<&NewKey> {
        self.first_key.as_ref()
    }

    /// Makes another access key.
    pub async fn create_key(&self, user: &str) -> anyhow::Result<NewKey> {
        Ok(self.keys.create(user).await?)
    }

    /// Ends when a part of the server failed by itself.
    pub async fn failed(&self) {
        self.stop.cancelled().await;
    }

    /// Stops: no new calls, those under way end, then the stores are closed. The object store goes last, since a
    /// commit under way may write to it.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        let grpc = self.tasks.grpc.await.context("the gRPC server panicked")?;
        self.http_stop.cancel();
        let http = match tokio::time::timeout(HTTP_DRAIN, self.tasks.http).await {
            Ok(ended) => ended.context("the HTTP server panicked")?,
            Err(_) => Ok(()),
        };
        self.kv.close().await;
        grpc.and(http)
    }
}

fn spawn_grpc(
    metadata: Metadata,
    listener: TcpListener,
    stop: CancellationToken,
) -> JoinHandle<anyhow::Result<()>> {
    tokio::spawn(async move {
        // Whatever ends this ends the server.
        let _ended = stop.clone().drop_guard();
        Ok(metadata.serve(listener, stop.cancelled_owned()).await?)
    })
}

fn spawn_http(
    listener: TcpListener,
    local: LocalEndpoint,
    stop: CancellationToken,
    server: CancellationToken,
) -> JoinHandle<anyhow::Result<()>> {
    tokio::spawn(async move {
        let _ended = server.drop_guard();
        http::serve(listener, local.store, &local.key, stop).await.context("the HTTP server failed")
    })
}

/// The address by which this machine reaches a listener: one on all interfaces is reached by loopback.
pub(crate) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback = match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    address
}
