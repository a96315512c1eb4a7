//! The service as a whole: its parts and settings.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use braid_auth::Keys;
use braid_cache::RangeMemory;
use braid_catalog::{Catalog, Components};
use braid_kv::Kv;
use braid_objects::{MAX_PRESIGN_TTL, StorageUri, Stores};
use braid_types::{Clock, Code, Error, Random};

use crate::address::Addresses;
use crate::announce::Announce;
use crate::front::Front;
use crate::imports::Imports;
use crate::intent::Intents;
use crate::namespaces::Namespaces;
use crate::service::Core;

/// What the service is made of.
#[derive(Clone)]
pub struct Parts {
    /// Where mutable state lives.
    pub kv: Arc<dyn Kv>,
    /// Opens object stores by storage namespace.
    pub stores: Arc<dyn Stores>,
    /// Memory for ranges and metaranges, shared by all namespaces.
    pub range_memory: Arc<RangeMemory>,
    /// Who may call.
    pub keys: Arc<Keys>,
    /// Signs upload intents: the same on every node and after every start, such as
    /// [`MasterKey::derive("upload intents")`](braid_auth::MasterKey::derive).
    pub intent_key: [u8; 32],
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids.
    pub random: Arc<dyn Random>,
}

/// What can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where repositories go that were given no storage namespace: a URI such as `s3://braid.local/`.
    pub default_storage_prefix: String,
    /// What keeps the objects, as callers are told: `s3`, `local` or `memory`.
    pub storage_kind: String,
    /// How long presigned URLs live.
    pub presign_ttl: Duration,
    /// How long an upload can be linked after it was asked for.
    pub intent_ttl: Duration,
    /// How long an upload in parts may be under way before it is given up; longer than results of requests are kept.
    pub multipart_ttl: Duration,
    /// The largest object that one presigned PUT takes, in bytes.
    pub upload_bytes: u64,
    /// The version that callers are told.
    pub version: String,
    /// How often dropped data is cleaned up.
    pub clean_up_interval: Duration,
    /// How often the key-value store is told to forget old states, where it does not by itself.
    pub garbage_interval: Duration,
    /// How often imports are looked for that nobody does any more.
    pub import_interval: Duration,
    /// How long calls may go on after a shutdown began.
    pub drain: Duration,
    /// What the server proves itself with; without it, connections are not encrypted.
    pub tls: Option<TlsIdentity>,
    /// The catalog's.
    pub catalog: braid_catalog::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_storage_prefix: "s3://braid.local/".to_owned(),
            storage_kind: "local".to_owned(),
            presign_ttl: Duration::from_secs(15 * 60),
            intent_ttl: Duration::from_secs(24 * 3600),
            multipart_ttl: Duration::from_secs(7 * 24 * 3600),
            upload_bytes: 5 << 30,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            clean_up_interval: Duration::from_secs(60),
            garbage_interval: Duration::from_secs(600),
            import_interval: Duration::from_secs(10),
            drain: Duration::from_secs(30),
            tls: None,
            catalog: braid_catalog::Settings::default(),
        }
    }
}

/// A certificate and its private key, in PEM.
#[derive(Clone)]
pub struct TlsIdentity {
    /// The certificate, and those that vouch for it.
    pub certificates: Vec<u8>,
    /// The private key; never shown.
    pub private_key: Vec<u8>,
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}

/// The metadata service, ready to serve. Nodes over the same parts are interchangeable.
pub struct Metadata {
    pub(crate) core: Arc<Core>,
    pub(crate) keys: Arc<Keys>,
}

impl Metadata {
    /// The service of `parts`. Nothing runs before it is served.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] names the setting that is of no use.
    pub fn new(parts: Parts, settings: Settings) -> Result<Self, Error> {
        check_ttl("presign_ttl", settings.presign_ttl)?;
        let default_prefix = parse_prefix(&settings.default_storage_prefix)?;
        let intents = Intents::new(parts.intent_key);
        let namespaces = Arc::new(Namespaces::new(parts.stores, parts.range_memory, &intents.installation()));
        let components = Components {
            kv: parts.kv,
            storage: namespaces.clone(),
            clock: Arc::clone(&parts.clock),
            random: Arc::clone(&parts.random),
        };
        let catalog = Catalog::new(components, settings.catalog.clone()).with_hooks(vec![Arc::new(Announce)]);
        let core = Core {
            keys: Arc::clone(&parts.keys),
            imports: Imports::new(catalog.clone(), namespaces.clone()),
            catalog,
            namespaces,
            intents,
            addresses: Addresses::new(Arc::clone(&parts.random)),
            default_prefix,
            front: Front::new(Arc::clone(&parts.random)),
            clock: parts.clock,
            random: parts.random,
            settings,
        };
        Ok(Self { core: Arc::new(core), keys: parts.keys })
    }

    /// The catalog that the service works on, for other services in this process.
    pub fn catalog(&self) -> &Catalog {
        &self.core.catalog
    }
}

fn check_ttl(name: &str, ttl: Duration) -> Result<(), Error> {
    if (Duration::from_secs(1)..=MAX_PRESIGN_TTL).contains(&ttl) {
        return Ok(());
    }
    let most = MAX_PRESIGN_TTL.as_secs();
    let message = format!("setting '{name}' is {ttl:?}; it must be 1 second to {most} seconds");
    Err(Error::new(Code::InvalidArgument, name, message))
}

fn parse_prefix(text: &str) -> Result<StorageUri, Error> {
    text.parse().map_err(|error| {
        let message = format!("setting 'default_storage_prefix' is of no use: {error}");
        Error::new(Code::InvalidArgument, "default_storage_prefix", message)
    })
}
