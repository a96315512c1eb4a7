//! What a server is told: what to serve, and where.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use braid_auth::MasterKey;
use braid_kv::TikvUri;
use braid_metadata::TlsIdentity;

use crate::storage::StorageConfig;

/// What to serve, and where.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The data folder; a node that keeps nothing has none.
    pub data: Option<PathBuf>,
    /// Where mutable state is kept.
    pub kv: KvConfig,
    /// What stored secrets are sealed under; `None` is the data folder's.
    pub master_key: Option<MasterKey>,
    /// Whether the first server of an installation makes the administrator's access key.
    pub first_key: bool,
    /// Where gRPC is served, if it is; port 0 takes a free one.
    pub grpc: Option<SocketAddr>,
    /// Where health, the object store and the gateway are served; port 0 takes a free one.
    pub http: SocketAddr,
    /// Whether the gateway is served.
    pub gateway: bool,
    /// The domain by which the gateway's S3 API is reached; a host right below it names a bucket.
    pub s3_domain: Option<String>,
    /// What gRPC proves itself with; without it, its connections are not encrypted.
    pub tls: Option<TlsIdentity>,
    /// What presigned URLs of the local store begin with; `None` is the HTTP address.
    pub public_url: Option<String>,
    /// Where data and committed trees are kept.
    pub storage: StorageConfig,
}

/// Where mutable state is kept.
#[derive(Debug, Clone)]
pub enum KvConfig {
    /// In the data folder.
    Embedded,
    /// In a cluster, which any number of servers share.
    Cluster(TikvUri),
}

impl ServerConfig {
    /// Everything in one data folder, served to this machine on free ports.
    pub fn in_folder(data: impl Into<PathBuf>) -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            data: Some(data.into()),
            kv: KvConfig::Embedded,
            master_key: None,
            first_key: true,
            grpc: Some(any_port),
            http: any_port,
            gateway: true,
            s3_domain: None,
            tls: None,
            public_url: None,
            storage: StorageConfig::Local,
        }
    }

    /// A node that keeps nothing itself, served to this machine on free ports.
    pub fn in_cluster(kv: TikvUri, master_key: MasterKey, storage: StorageConfig) -> Self {
        let (kv, master_key) = (KvConfig::Cluster(kv), Some(master_key));
        Self { data: None, kv, master_key, first_key: false, gateway: false, storage, ..Self::in_folder("") }
    }
}
