//! The gateway as a whole: its parts and settings.

use std::sync::Arc;

use axum::Router;
use braid_auth::{Keys, Principal, Sessions};
use braid_client::Client;
use braid_objects::Stores;
use braid_types::{Clock, Random};

use crate::rest;
use crate::s3::{self, S3Gateway};

/// What the gateway is made of.
#[derive(Clone)]
pub struct Parts {
    /// Calls the services in this process, which take a [`Principal`] from its extensions.
    pub client: Client,
    /// Who may call, and with which keys.
    pub keys: Arc<Keys>,
    /// Who has logged in.
    pub sessions: Arc<Sessions>,
    /// Where data is, at the addresses that the services name.
    pub stores: Arc<dyn Stores>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for request ids.
    pub random: Arc<dyn Random>,
}

/// What callers are told of the installation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The version of this program.
    pub version: String,
    /// What keeps the objects: `s3`, `local` or `memory`.
    pub storage_kind: String,
    /// Where repositories go that were given no storage namespace: a URI that ends in `/`.
    pub default_storage_prefix: String,
    /// The domain by which the S3 API is reached: a host right below it names a bucket. The API is reached without one as
    /// well, by signed requests whose paths begin with the bucket.
    pub s3_domain: Option<String>,
}

impl Settings {
    /// Whether objects are kept in the local store.
    pub(crate) fn is_local(&self) -> bool {
        self.storage_kind != "s3"
    }
}

/// The gateway, ready to answer. Gateways over the same parts are interchangeable.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

/// What all handlers work with.
pub(crate) struct Shared {
    pub(crate) parts: Parts,
    pub(crate) settings: Settings,
}

impl Gateway {
    /// The gateway of `parts`.
    pub fn new(parts: Parts, settings: Settings) -> Self {
        Self { shared: Arc::new(Shared { parts, settings }) }
    }

    /// lakeFS's REST API: answers everything under `/api/v1`, and the paths beside it that its clients know.
    pub fn rest(&self) -> Router {
        rest::router(&self.shared)
    }
}

impl Gateway {
    /// The S3 API: repositories are its buckets.
    pub fn s3(&self) -> S3Gateway {
        s3::service(&self.shared)
    }
}

impl Shared {
    /// A client whose calls are made for `principal`.
    pub(crate) fn client_for(&self, principal: &Principal) -> Client {
        self.parts.client.with_extension(principal.clone())
    }
}
