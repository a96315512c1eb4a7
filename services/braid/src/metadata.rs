//! `braid metadata`: a metadata node of a cluster, which keeps nothing itself.

use braid_kv::TikvUri;
use braid_objects::StorageUri;
use clap::Args;

use crate::config::ServerConfig;
use crate::options::{Listen, MasterKeyOptions, S3Options};
use crate::server::reachable;
use crate::{logging, serve};

/// Serves a metadata node of a cluster: it keeps nothing itself, and any number of them are one service.
///
/// All nodes share the TiKV cluster, the storage and the master key. The first access key is made by `braid key create --kv`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  openssl rand -hex 32 > master.key\n  braid metadata --kv tikv://pd1:2379,pd2:2379?keyspace=lake \
                        --storage s3://bucket/prefix --master-key-file master.key\n  \
                        braid key create --kv tikv://pd1:2379,pd2:2379?keyspace=lake --master-key-file master.key"
)]
pub struct MetadataNode {
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

    #[command(flatten)]
    listen: Listen,

    #[command(flatten)]
    s3: S3Options,
}

impl MetadataNode {
    /// Serves until told to stop.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        logging::start("info");
        let (kv, storage) = (self.kv.to_string(), self.storage.to_string());
        serve::run(self.config()?, |server| {
            println!("Braid {} metadata node is up.", env!("CARGO_PKG_VERSION"));
            println!("  gRPC     {}", server.grpc_url());
            println!("  HTTP     http://{}", reachable(server.http_address()));
            println!("  kv       {kv}");
            println!("  storage  {storage}");
        })
        .await
    }

    fn config(self) -> anyhow::Result<ServerConfig> {
        let (master_key, storage) = (self.master_key.required()?, self.s3.storage(&self.storage)?);
        Ok(ServerConfig {
            grpc: Some(self.listen.grpc),
            http: self.listen.http,
            tls: self.listen.tls()?,
            ..ServerConfig::in_cluster(self.kv, master_key, storage)
        })
    }
}
