//! `braid store`: the local object store alone, for several nodes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use braid_objects::LocalStore;
use braid_types::{SystemClock, SystemRandom};
use clap::Args;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::data_folder::DataFolder;
use crate::dispatch::Dispatch;
use crate::server::reachable;
use crate::storage::{LOCAL_BUCKET, internal_key};
use crate::{http, logging, shutdown};

/// Serves the object store of a data folder alone, by the S3 API, for metadata nodes to share.
///
/// Its access key is printed at every start: give it to the nodes as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  braid store --data /srv/store --http 127.0.0.1:9000\n  braid up --storage \
                        s3://braid.local/lake --s3-endpoint http://127.0.0.1:9000"
)]
pub struct Store {
    /// Folder for all state; made if it is absent
    #[arg(long, value_name = "DIR", env = "BRAID_DATA")]
    data: PathBuf,

    /// Address for the S3 endpoint
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000", env = "BRAID_HTTP")]
    http: SocketAddr,
}

/// An object store that is served from this process.
pub struct StoreServer {
    address: SocketAddr,
    key: braid_objects::InternalKey,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
    _folder: DataFolder,
}

impl StoreServer {
    /// Opens the data folder and serves its object store.
    pub async fn start(data: &Path, address: SocketAddr) -> anyhow::Result<Self> {
        let folder = DataFolder::open(data)?;
        let key = internal_key(&folder.master_key(&SystemRandom)?);
        let store = LocalStore::open(&folder.objects(), Arc::new(SystemClock))
            .context("cannot open the object store")?;
        let listener = http::bind(address, "HTTP").await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let store = Dispatch::new(Some(http::served(store, &key)), None);
        let router = http::health().fallback_service(store);
        let task = tokio::spawn(http::serve(listener, router, stop.clone()));
        Ok(Self { address, key, stop, task, _folder: folder })
    }

    /// Where it is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key that requests must be signed with.
    pub fn key(&self) -> &braid_objects::InternalKey {
        &self.key
    }

    /// Stops when transfers under way have ended.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        Ok(self.task.await.context("the HTTP server panicked")??)
    }
}

impl Store {
    /// Serves until told to stop.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        logging::start("info,s3s=off");
        let server = StoreServer::start(&self.data, self.http).await?;
        println!("Braid's object store is up.");
        println!("  HTTP    http://{}", reachable(server.address()));
        println!("  bucket  {LOCAL_BUCKET}");
        println!("  data    {}", self.data.display());
        println!();
        println!("  export AWS_ACCESS_KEY_ID={}", server.key().access_key_id);
        println!("  export AWS_SECRET_ACCESS_KEY={}", server.key().secret);
        shutdown::requested().await?;
        server.stop().await
    }
}
