//! The services in this process, over whatever its configuration names: `braid up`, `braid metadata`, `braid gateway`, tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use braid_auth::{Keys, NewKey, Sessions};
use braid_cache::{CacheOptions, RangeMemory};
use braid_client::{Client, ClientConfig};
use braid_gateway::Gateway;
use braid_kv::Kv;
use braid_metadata::{Metadata, Parts, Settings};
use braid_objects::Stores;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::ServerConfig;
use crate::data_folder::DataFolder;
use crate::dispatch::{Dispatch, GatewaySlot};
use crate::foundation::{Foundation, OpenKv};
use crate::http;
use crate::installation::InstallationError;
use crate::metrics;
use crate::readiness::Readiness;
use crate::storage::LocalEndpoint;

/// How long transfers may go on after a shutdown began.
const HTTP_DRAIN: Duration = Duration::from_secs(30);

/// How long is waited before a key-value store that could not be reached is tried again.
const KV_PAUSE: Duration = Duration::from_secs(1);

/// A server that runs in this process.
pub struct Server {
    grpc: Option<SocketAddr>,
    http: SocketAddr,
    encrypted: bool,
    first_key: Option<NewKey>,
    stop: CancellationToken,
    http_stop: CancellationToken,
    tasks: Tasks,
    keys: Arc<Keys>,
    kv: Arc<dyn Kv>,
    _foundation: Foundation,
}

struct Tasks {
    metadata: JoinHandle<anyhow::Result<()>>,
    http: JoinHandle<anyhow::Result<()>>,
}

impl Server {
    /// Serves what `config` names. Health and readiness are served at once; gRPC as soon as the key-value store can be
    /// reached, for which this waits.
    pub async fn start(config: ServerConfig) -> anyhow::Result<Self> {
        let folder = config.data.as_deref().map(DataFolder::open).transpose()?;
        let foundation =
            Foundation::lay(folder, &config.kv, config.master_key.clone())?.retaining(config.mvcc_retention);
        let grpc = match config.grpc {
            Some(address) => Some(http::bind(address, "gRPC").await?),
            None => None,
        };
        let http = http::bind(config.http, "HTTP").await?;
        let grpc_address = grpc.as_ref().map(TcpListener::local_addr).transpose()?;
        let http_address = http.local_addr()?;
        let local = foundation.local_endpoint(reachable(http_address), config.public_url.clone())?;
        let stores = config.storage.stores(
            local.as_ref(),
            Arc::clone(&foundation.clock),
            Arc::clone(&foundation.random),
        );

        let (stop, http_stop) = (CancellationToken::new(), CancellationToken::new());
        let on_failure = http_stop.clone().drop_guard();
        let storage = stores.open(&config.storage.default_prefix())?;
        let readiness = Arc::new(Readiness::new(storage, stop.clone()));
        let gateway = config.gateway.then(GatewaySlot::default);
        let router = router(&readiness, local, gateway.clone());
        tokio::spawn(metrics::keep_up(http_stop.clone()));
        let http = spawn_http(http, router, http_stop.clone(), stop.clone());

        let kv = wait_for_kv(&foundation, &readiness).await?;
        let keys = Arc::new(foundation.keys(&kv).await?);
        let first_key = if config.first_key { keys.create_first_admin().await? } else { None };
        let parts = parts(&foundation, &kv, stores, &keys);
        let settings = settings(&config);
        let metadata = Metadata::new(parts.clone(), settings.clone())?;
        if let Some(slot) = gateway {
            let session_key = foundation.master.derive("sessions");
            slot.fill(&over(&metadata, parts, settings, session_key, config.s3_domain.clone())?);
        }
        let tasks = Tasks { metadata: spawn_metadata(metadata, grpc, stop.clone()), http };
        on_failure.disarm();
        Ok(Self {
            grpc: grpc_address,
            http: http_address,
            encrypted: config.tls.is_some(),
            first_key,
            stop,
            http_stop,
            tasks,
            keys,
            kv,
            _foundation: foundation,
        })
    }

    /// Where gRPC is served.
    ///
    /// # Panics
    /// If the server was not to serve it.
    pub fn grpc_address(&self) -> SocketAddr {
        self.grpc.expect("the server serves gRPC")
    }

    /// Where gRPC is served, as a client on this machine is told.
    ///
    /// # Panics
    /// If the server was not to serve it.
    pub fn grpc_url(&self) -> String {
        let scheme = if self.encrypted { "https" } else { "http" };
        format!("{scheme}://{}", reachable(self.grpc_address()))
    }

    /// Where HTTP is served.
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// The administrator's key, if this is the first start of the installation and the server was to make it.
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

    /// Stops: no new calls, those under way end, then the stores are closed. HTTP goes last: a commit under way may write
    /// to the object store, and whoever asks is told that the server is not ready any more.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        let metadata = self.tasks.metadata.await.context("the metadata service panicked")?;
        self.http_stop.cancel();
        let http = match tokio::time::timeout(HTTP_DRAIN, self.tasks.http).await {
            Ok(ended) => ended.context("the HTTP server panicked")?,
            Err(_) => Ok(()),
        };
        self.kv.close().await;
        metadata.and(http)
    }
}

/// Opens the key-value store as soon as it can be reached.
async fn wait_for_kv(
    foundation: &Foundation,
    readiness: &Readiness,
) -> Result<Arc<dyn Kv>, InstallationError> {
    let place = foundation.kv_place();
    readiness.kv_is_missing(format!("being opened: {place}"));
    tracing::info!(place, "opening the key-value store");
    loop {
        match foundation.open_kv().await {
            Ok(OpenKv { kv, home }) => {
                readiness.kv_is(Arc::clone(&kv), &home);
                return Ok(kv);
            }
            Err(error) if error.may_pass() => {
                tracing::warn!(%error, "the key-value store cannot be used yet; trying again");
                readiness.kv_is_missing(error.to_string());
                tokio::time::sleep(KV_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

fn parts(foundation: &Foundation, kv: &Arc<dyn Kv>, stores: Arc<dyn Stores>, keys: &Arc<Keys>) -> Parts {
    Parts {
        kv: Arc::clone(kv),
        stores,
        range_memory: Arc::new(RangeMemory::new(CacheOptions::default())),
        keys: Arc::clone(keys),
        intent_key: foundation.master.derive("upload intents"),
        clock: Arc::clone(&foundation.clock),
        random: Arc::clone(&foundation.random),
    }
}

fn settings(config: &ServerConfig) -> Settings {
    Settings {
        default_storage_prefix: config.storage.default_prefix().to_string(),
        storage_kind: config.storage.kind().to_owned(),
        tls: config.tls.clone(),
        catalog: braid_metadata::CatalogSettings {
            fence_delay: config.mvcc_retention,
            ..braid_metadata::CatalogSettings::default()
        },
        ..Settings::default()
    }
}

/// A gateway over the services in this process.
fn over(
    metadata: &Metadata,
    parts: Parts,
    settings: Settings,
    session_key: [u8; 32],
    s3_domain: Option<String>,
) -> anyhow::Result<Gateway> {
    let (random, clock) = (Arc::clone(&parts.random), Arc::clone(&parts.clock));
    let client = Client::over(metadata.in_process(), &ClientConfig::new(""), random, clock)?;
    let client = client.reading_from(metadata.objects());
    let settings = braid_gateway::Settings {
        version: settings.version,
        storage_kind: settings.storage_kind,
        default_storage_prefix: settings.default_storage_prefix,
        s3_domain,
    };
    let Parts { stores, keys, clock, random, .. } = parts;
    let sessions = Arc::new(Sessions::new(Arc::clone(&keys), session_key, Arc::clone(&clock)));
    Ok(Gateway::new(braid_gateway::Parts { client, keys, sessions, stores, clock, random }, settings))
}

fn router(readiness: &Arc<Readiness>, local: Option<LocalEndpoint>, gateway: Option<GatewaySlot>) -> Router {
    let router = http::health().merge(http::ready(Arc::clone(readiness)));
    let store = local.map(|local| http::served(local.store, &local.key));
    router.fallback_service(Dispatch::new(store, gateway))
}

fn spawn_metadata(
    metadata: Metadata,
    grpc: Option<TcpListener>,
    stop: CancellationToken,
) -> JoinHandle<anyhow::Result<()>> {
    tokio::spawn(async move {
        // Whatever ends this ends the server.
        let _ended = stop.clone().drop_guard();
        match grpc {
            Some(listener) => Ok(metadata.serve(listener, stop.cancelled_owned()).await?),
            None => {
                metadata.attend(stop.cancelled_owned()).await;
                Ok(())
            }
        }
    })
}

fn spawn_http(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    server: CancellationToken,
) -> JoinHandle<anyhow::Result<()>> {
    tokio::spawn(async move {
        let _ended = server.drop_guard();
        http::serve(listener, router, stop).await.context("the HTTP server failed")
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
