//! `braid up`: everything in one process.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use braid_objects::{S3Config, S3Credentials, StorageUri};
use clap::Args;

use crate::server::{Server, ServerConfig, reachable};
use crate::{logging, shutdown, storage::StorageConfig};

/// Serves everything in one process: the metadata service, an embedded key-value store, an object store.
///
/// State is kept in the data folder; what is acknowledged is on its disk. The first start makes an administrator's access
/// key and prints it once.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  braid up\n  braid up --data /srv/braid --grpc 0.0.0.0:8001 --http 0.0.0.0:8000 \
                        --public-url http://lake.example:8000\n  braid up --storage s3://bucket/prefix --s3-region eu-north-1"
)]
pub struct Up {
    /// Folder for all state; made if it is absent
    #[arg(long, value_name = "DIR", default_value = "braid-data", env = "BRAID_DATA")]
    data: PathBuf,

    /// Address for gRPC
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8001", env = "BRAID_GRPC")]
    grpc: SocketAddr,

    /// Address for HTTP: the object store's S3 endpoint, health
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000", env = "BRAID_HTTP")]
    http: SocketAddr,

    /// What presigned URLs begin with, if clients reach the HTTP port by another address
    #[arg(long, value_name = "URL", env = "BRAID_PUBLIC_URL")]
    public_url: Option<String>,

    #[command(flatten)]
    s3: S3Options,
}

/// Where data goes other than into the data folder.
#[derive(Debug, Args)]
struct S3Options {
    /// Keep data and committed trees here instead of in the data folder: s3://bucket/prefix. Credentials come from
    /// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN
    #[arg(long, value_name = "URI", env = "BRAID_STORAGE")]
    storage: Option<StorageUri>,

    /// Another S3 endpoint than AWS's, such as http://127.0.0.1:9000
    #[arg(long, value_name = "URL", env = "BRAID_S3_ENDPOINT", requires = "storage")]
    s3_endpoint: Option<String>,

    /// The endpoint as clients reach it, if that differs
    #[arg(long, value_name = "URL", env = "BRAID_S3_PUBLIC_URL", requires = "storage")]
    s3_public_url: Option<String>,

    /// The region
    #[arg(long, value_name = "REGION", env = "AWS_REGION", default_value = "us-east-1")]
    s3_region: String,
}

impl S3Options {
    fn storage(&self) -> anyhow::Result<StorageConfig> {
        let Some(uri) = &self.storage else {
            return Ok(StorageConfig::Local);
        };
        if uri.is_local() && self.s3_endpoint.is_none() {
            bail!(
                "storage '{uri}' has a dot in its bucket's name, as the local store has: give --s3-endpoint"
            );
        }
        let credentials = S3Credentials::from_env()
            .with_context(|| format!("storage '{uri}' needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))?;
        let config = S3Config {
            endpoint_url: self.s3_endpoint.clone(),
            public_url: self.s3_public_url.clone(),
            ..S3Config::aws(self.s3_region.clone(), credentials)
        };
        Ok(StorageConfig::S3 { default_prefix: uri.to_string(), config: Box::new(config) })
    }
}

impl Up {
    /// Serves until told to stop.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        logging::start("info,s3s=off");
        let config = ServerConfig {
            data: self.data,
            grpc: self.grpc,
            http: self.http,
            public_url: self.public_url,
            storage: self.s3.storage()?,
        };
        let data = config.data.clone();
        let server = Box::pin(Server::start(config)).await?;
        println!("Braid {} is up.", env!("CARGO_PKG_VERSION"));
        println!("  gRPC  http://{}", reachable(server.grpc_address()));
        println!("  HTTP  http://{}", reachable(server.http_address()));
        println!("  data  {}", data.display());
        print_first_key(&server);
        tokio::select! {
            requested = shutdown::requested() => requested?,
            () = server.failed() => {}
        }
        server.stop().await
    }
}

/// Shown once: nobody can read the secret afterwards.
pub(crate) fn print_first_key(server: &Server) {
    let Some(key) = server.first_key() else {
        return;
    };
    println!();
    println!("First start: this is the administrator's access key. It is shown only now.");
    println!("  export BRAID_ENDPOINT=http://{}", reachable(server.grpc_address()));
    println!("  export BRAID_ACCESS_KEY_ID={}", key.id);
    println!("  export BRAID_SECRET_ACCESS_KEY={}", key.secret.expose());
    println!();
}
