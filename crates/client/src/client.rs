//! The client itself.

use std::sync::Arc;

use braid_types::{Clock, Error, Random};
use braid_wire::proto::MAX_MESSAGE_BYTES;
use braid_wire::proto::commit_service_client::CommitServiceClient;
use braid_wire::proto::object_service_client::ObjectServiceClient;
use braid_wire::proto::ref_service_client::RefServiceClient;
use braid_wire::proto::repository_service_client::RepositoryServiceClient;
use braid_wire::proto::server_service_client::ServerServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;

use crate::channel::channel;
use crate::config::{ClientConfig, Timeouts};
use crate::credentials::Credentials;
use crate::retry::{Retries, RetryPolicy};
use crate::transfer;

/// A client of one server. Cheap to clone; clones share their connections.
///
/// Every call is tried again, a bounded number of times, when its error says that it may succeed. Calls that change
/// something carry a request id that is the same on each attempt, so that the server does them once. An error that
/// [may have happened](Error::may_have_happened) means that no attempt could find out.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
    timeouts: Timeouts,
    retry: RetryPolicy,
    http: reqwest::Client,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
}

impl Client {
    /// A client of the server that `config` names. Nothing is sent before the first call. Request ids and waits come from
    /// `random`; `clock` tells when a URL has expired. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// `invalid_argument` if the endpoint or the TLS options are of no use, or if credentials would go over the network
    /// unencrypted.
    pub fn connect(
        config: &ClientConfig,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let http = transfer::http_client(config)?;
        let shared = Shared {
            channel: channel(config)?,
            authorization: config.credentials.as_ref().map(Credentials::header),
            timeouts: config.timeouts,
            retry: config.retry,
            http,
            random,
            clock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(crate) fn authorization(&self) -> Option<&MetadataValue<Ascii>> {
        self.shared.authorization.as_ref()
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.shared.timeouts
    }

    pub(crate) fn retries(&self) -> Retries {
        Retries::new(self.shared.retry, Arc::clone(&self.shared.random))
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.shared.random
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.shared.clock
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.shared.http
    }

    pub(crate) fn repository_service(&self) -> RepositoryServiceClient<Channel> {
        RepositoryServiceClient::new(self.shared.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn ref_service(&self) -> RefServiceClient<Channel> {
        RefServiceClient::new(self.shared.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn object_service(&self) -> ObjectServiceClient<Channel> {
        ObjectServiceClient::new(self.shared.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn commit_service(&self) -> CommitServiceClient<Channel> {
        CommitServiceClient::new(self.shared.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn server_service(&self) -> ServerServiceClient<Channel> {
        ServerServiceClient::new(self.shared.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }
}
