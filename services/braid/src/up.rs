//! `braid up`: everything in one process.

use std::path::PathBuf;

use braid_kv::TikvUri;
use braid_objects::StorageUri;
use clap::Args;

use crate::config::{KvConfig, ServerConfig};
use crate::options::{GatewayOptions, Listen, MasterKeyOptions, S3Options};
use crate::server::{Server, reachable};
use crate::storage::StorageConfig;
use crate::{logging, serve};

/// Serves everything in one process: the metadata service, an embedded key-value store, an object store.
///
/// State is kept in the data folder; what is acknowledged is on its disk. The first start makes an administrator's access
/// key and prints it once.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  braid up\n  braid up --data /srv/braid --grpc 0.0.0.0:8001 --http 0.0.0.0:8000 \
                        --public-url http://lake.example:8000\n  braid up --storage s3://bucket/prefix --s3-region eu-north-1\n  \
                        braid up --kv tikv://pd1:2379,pd2:2379?keyspace=lake"
)]
pub struct Up {
    /// Folder for all state; made if it is absent
    #[arg(long, value_name = "DIR", default_value = "braid-data", env = "BRAID_DATA")]
    data: PathBuf,

    /// Keep refs and uncommitted changes in this TiKV cluster instead of in the data folder:
    /// tikv://PD:PORT,PD:PORT…?keyspace=NAME&ca=FILE&cert=FILE&key=FILE&server-name=NAME. Ports
    /// (2379), and all behind the question mark, may be left out
    #[arg(long, value_name = "URI", env = "BRAID_KV")]
    kv: Option<TikvUri>,

    #[command(flatten)]
    master_key: MasterKeyOptions,

    #[command(flatten)]
    listen: Listen,

    /// What presigned URLs begin with, if clients reach the HTTP port by another address
    #[arg(long, value_name = "URL", env = "BRAID_PUBLIC_URL")]
    public_url: Option<String>,

    /// Keep data and committed trees here instead of in the data folder: s3://bucket/prefix. Credentials come from
    /// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN
    #[arg(long, value_name = "URI", env = "BRAID_STORAGE")]
    storage: Option<StorageUri>,

    #[command(flatten)]
    s3: S3Options,

    #[command(flatten)]
    gateway: GatewayOptions,
}

impl Up {
    /// Serves until told to stop.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        logging::start("info,s3s=off");
        let data = self.data.clone();
        serve::run(self.config()?, |server| {
            println!("Braid {} is up.", env!("CARGO_PKG_VERSION"));
            println!("  gRPC  {}", server.grpc_url());
            println!("  HTTP  http://{}", reachable(server.http_address()));
            println!("  data  {}", data.display());
            print_first_key(server);
        })
        .await
    }

    fn config(self) -> anyhow::Result<ServerConfig> {
        let storage = self.storage.map_or(Ok(StorageConfig::Local), |uri| self.s3.storage(&uri))?;
        Ok(ServerConfig {
            kv: self.kv.map_or(KvConfig::Embedded, KvConfig::Cluster),
            master_key: self.master_key.given()?,
            grpc: Some(self.listen.grpc),
            http: self.listen.http,
            tls: self.listen.tls()?,
            public_url: self.public_url,
            storage,
            s3_domain: self.gateway.s3_domain,
            ..ServerConfig::in_folder(self.data)
        })
    }
}

/// Shown once: nobody can read the secret afterwards.
pub(crate) fn print_first_key(server: &Server) {
    let Some(key) = server.first_key() else {
        return;
    };
    println!();
    println!("First start: this is the administrator's access key. It is shown only now.");
    println!("  export BRAID_ENDPOINT={}", server.grpc_url());
    println!("  export BRAID_ACCESS_KEY_ID={}", key.id);
    println!("  export BRAID_SECRET_ACCESS_KEY={}", key.secret.expose());
    println!();
}
