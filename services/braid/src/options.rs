//! Options that several commands share.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use braid_auth::MasterKey;
use braid_metadata::TlsIdentity;
use braid_objects::{S3Config, S3Credentials, StorageUri};
use clap::Args;

use crate::storage::StorageConfig;

/// Holds the master key itself, where it is not in a file.
const MASTER_KEY_ENV: &str = "BRAID_MASTER_KEY";

/// Where a server listens.
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Address for gRPC
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8001", env = "BRAID_GRPC")]
    pub(crate) grpc: SocketAddr,

    /// Address for HTTP: the REST and S3 APIs, health and readiness, and the object store's own endpoint if it is in the
    /// data folder
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000", env = "BRAID_HTTP")]
    pub(crate) http: SocketAddr,

    /// File with gRPC's certificate and those that vouch for it, PEM; without it, its connections are not encrypted
    #[arg(long, value_name = "FILE", env = "BRAID_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// File with the certificate's private key, PEM
    #[arg(long, value_name = "FILE", env = "BRAID_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl Listen {
    /// What gRPC proves itself with.
    pub(crate) fn tls(&self) -> anyhow::Result<Option<TlsIdentity>> {
        let (Some(certificates), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        let read = |file: &Path| {
            std::fs::read(file).with_context(|| format!("cannot read the TLS file '{}'", file.display()))
        };
        Ok(Some(TlsIdentity { certificates: read(certificates)?, private_key: read(key)? }))
    }
}

/// How existing clients reach the gateway.
#[derive(Debug, Args)]
pub(crate) struct GatewayOptions {
    /// Domain of the S3 API, such as s3.lake.example: `REPOSITORY.DOMAIN` is then a bucket of its own. Without it, buckets
    /// are the first part of the path
    #[arg(long, value_name = "DOMAIN", env = "BRAID_S3_DOMAIN")]
    pub(crate) s3_domain: Option<String>,
}

/// What stored secrets are sealed under.
#[derive(Debug, Default, Args)]
pub(crate) struct MasterKeyOptions {
    /// File with the installation's master key, 64 hexadecimal digits, the same for all nodes: `openssl rand -hex 32`
    /// makes one. BRAID_MASTER_KEY may hold the digits instead
    #[arg(long, value_name = "FILE", env = "BRAID_MASTER_KEY_FILE")]
    master_key_file: Option<PathBuf>,
}

impl MasterKeyOptions {
    /// The master key, if one was given.
    pub(crate) fn given(&self) -> anyhow::Result<Option<MasterKey>> {
        if let Some(file) = &self.master_key_file {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the master key file '{}'", file.display()))?;
            let key = text.parse().with_context(|| format!("'{}' holds no master key", file.display()))?;
            return Ok(Some(key));
        }
        match std::env::var(MASTER_KEY_ENV) {
            Ok(text) => {
                let key = text.parse().with_context(|| format!("{MASTER_KEY_ENV} holds no master key"))?;
                Ok(Some(key))
            }
            Err(_) => Ok(None),
        }
    }

    /// The master key; a cluster has no other place for it.
    pub(crate) fn required(&self) -> anyhow::Result<MasterKey> {
        let given = self.given()?;
        given.with_context(|| {
            format!(
                "a cluster needs the installation's master key: give --master-key-file or {MASTER_KEY_ENV}"
            )
        })
    }
}

/// How S3 is reached.
#[derive(Debug, Args)]
pub(crate) struct S3Options {
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
    /// The storage under `uri`.
    pub(crate) fn storage(&self, uri: &StorageUri) -> anyhow::Result<StorageConfig> {
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
        Ok(StorageConfig::S3 { default_prefix: uri.clone(), config: Box::new(config) })
    }
}
