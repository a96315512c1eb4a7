//! Which object stores a server uses.

use std::sync::Arc;

use braid_auth::MasterKey;
use braid_objects::{
    Buckets, InternalKey, LocalBuckets, LocalStore, S3Buckets, S3Config, StorageUri, StoreSet, Stores,
};
use braid_types::{Clock, Random};

/// The bucket of the local store. Its dot keeps it apart from repositories, whose names hold none.
pub(crate) const LOCAL_BUCKET: &str = "braid.local";

/// Where data and committed trees are kept.
#[derive(Debug, Clone)]
pub enum StorageConfig {
    /// In the data folder, served by the process's own S3 endpoint.
    Local,
    /// In the data folder, but reached through the process's own S3 endpoint, as if it were far away.
    LocalOverHttp,
    /// In S3.
    S3 {
        /// Where repositories go that name no storage namespace.
        default_prefix: StorageUri,
        /// How to reach it.
        config: Box<S3Config>,
    },
}

impl StorageConfig {
    /// Where repositories go that name no storage namespace.
    pub(crate) fn default_prefix(&self) -> StorageUri {
        match self {
            Self::Local | Self::LocalOverHttp => {
                format!("s3://{LOCAL_BUCKET}/").parse().expect("the local bucket has a bucket's name")
            }
            Self::S3 { default_prefix, .. } => default_prefix.clone(),
        }
    }

    /// What clients are told.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Local | Self::LocalOverHttp => "local",
            Self::S3 { .. } => "s3",
        }
    }

    /// The stores that namespaces are opened in. `local` is the store of this process, which a process without a data
    /// folder has not.
    pub(crate) fn stores(
        &self,
        local: Option<&LocalEndpoint>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Arc<dyn Stores> {
        let s3 = |config: &S3Config| -> Arc<dyn Buckets> { Arc::new(S3Buckets::new(config, clock, random)) };
        let (own, remote) = match self {
            Self::Local => (local.map(LocalEndpoint::direct), None),
            Self::LocalOverHttp => (local.map(|local| s3(&local.s3_config())), None),
            Self::S3 { config, .. } => {
                let remote = s3(config);
                // A bucket with a dot may also be another Braid's store, which is reached like any S3.
                let far = config.endpoint_url.is_some().then(|| Arc::clone(&remote));
                (far.or_else(|| local.map(LocalEndpoint::direct)), Some(remote))
            }
        };
        Arc::new(StoreSet::new(own, remote))
    }
}

/// The local store and how it is reached.
pub(crate) struct LocalEndpoint {
    pub(crate) store: Arc<LocalStore>,
    pub(crate) key: InternalKey,
    pub(crate) endpoint: String,
    pub(crate) public_url: String,
}

impl LocalEndpoint {
    fn direct(&self) -> Arc<dyn Buckets> {
        Arc::new(LocalBuckets::new(Arc::clone(&self.store), &self.public_url, &self.key))
    }

    fn s3_config(&self) -> S3Config {
        let credentials = braid_objects::S3Credentials {
            access_key_id: self.key.access_key_id.clone(),
            secret_access_key: self.key.secret.clone(),
            session_token: None,
        };
        S3Config {
            endpoint_url: Some(self.endpoint.clone()),
            public_url: Some(self.public_url.clone()),
            ..S3Config::aws("us-east-1", credentials)
        }
    }
}

/// The key of the local store: made from the master key, so it is the same at every start and known to nobody else.
pub(crate) fn internal_key(master: &MasterKey) -> InternalKey {
    InternalKey {
        access_key_id: format!("BRDI{}", hex::encode_upper(&master.derive("local store access key id")[..8])),
        secret: hex::encode(master.derive("local store secret")),
    }
}
