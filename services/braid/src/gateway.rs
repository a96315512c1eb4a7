//! `braid gateway`: the protocols of existing clients over a cluster, by a process that keeps nothing itself.

use std::net::SocketAddr;

use braid_kv::TikvUri;
use braid_objects::StorageUri;
use clap::Args;

use crate::config::ServerConfig;
use crate::options::{GatewayOptions, MasterKeyOptions, S3Options};
use crate::server::reachable;
use crate::{logging, serve};

/// Serves lakeFS's REST API and the S3 API over a cluster: it keeps nothing itself, and any number of them are one service.
///
/// All nodes of a cluster share its TiKV, the storage and the master key. The metadata services run in the gateway's own
/// process. TLS is left to a proxy.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  braid gateway --kv tikv://pd1:2379,pd2:2379?keyspace=lake \
                        --storage s3://bucket/prefix --master-key-file master.key --http 0.0.0.0:8000")]
pub struct GatewayNode {
    /// The TiKV cluster: tikv://PD:PORT,PD:PORT…?keyspace=NAME&ca=FILE&cert=FILE&key=FILE&server-name=NAME. Ports
    /// (2379), and all behind the question mark, may be left out
    #[arg(long, value_name = "URI", env = "BRAID_KV")]
    kv: TikvUri,

    /// Where data and committed trees are kept: s3://bucket/prefix. Credentials come from AWS_ACCESS_KEY_ID,
    /// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN
    #[arg(long, value_name = "URI", env = "BRAID_STORAGE")]
    storage: StorageUri,

    #[command(flatten)]
    master_key: MasterKeyOptions,

    /// Address for HTTP: the REST and S3 APIs, health and readiness
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000", env = "BRAID_HTTP")]
    http: SocketAddr,

    #[command(flatten)]
    s3: S3Options,

    #[command(flatten)]
    gateway: GatewayOptions,
}

impl GatewayNode {
    /// Serves until told to stop.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        logging::start("info,s3s=off");
        let (kv, storage) = (self.kv.to_string(), self.storage.to_string());
        serve::run(self.config()?, |server| {
            println!("Braid {} gateway is up.", env!("CARGO_PKG_VERSION"));
            println!("  HTTP     http://{}", reachable(server.http_address()));
            println!("  kv       {kv}");
            println!("  storage  {storage}");
        })
        .await
    }

    fn config(self) -> anyhow::Result<ServerConfig> {
        let (master_key, storage) = (self.master_key.required()?, self.s3.storage(&self.storage)?);
        Ok(ServerConfig {
            grpc: None,
            http: self.http,
            gateway: true,
            s3_domain: self.gateway.s3_domain,
            ..ServerConfig::in_cluster(self.kv, master_key, storage)
        })
    }
}
