//! The client itself.

use std::sync::Arc;

use braid_types::{Clock, Error, Random, RequestId};
use braid_wire::proto::MAX_MESSAGE_BYTES;
use braid_wire::proto::auth_service_client::AuthServiceClient;
use braid_wire::proto::commit_service_client::CommitServiceClient;
use braid_wire::proto::import_service_client::ImportServiceClient;
use braid_wire::proto::multipart_service_client::MultipartServiceClient;
use braid_wire::proto::object_service_client::ObjectServiceClient;
use braid_wire::proto::object_service_server::ObjectService;
use braid_wire::proto::pull_request_service_client::PullRequestServiceClient;
use braid_wire::proto::ref_service_client::RefServiceClient;
use braid_wire::proto::repository_service_client::RepositoryServiceClient;
use braid_wire::proto::server_service_client::ServerServiceClient;
use braid_wire::proto::settings_service_client::SettingsServiceClient;
use http::{Extensions, Request, Response};
use tonic::body::Body;
use tonic::codegen::StdError;
use tonic::metadata::{Ascii, MetadataValue};
use tower::Service;

use crate::channel;
use crate::config::{ClientConfig, Timeouts};
use crate::credentials::Credentials;
use crate::direct::DirectReads;
use crate::gather::Gather;
use crate::nodes::Nodes;
use crate::request_ids::RequestIds;
use crate::retry::{Retries, RetryPolicy};
use crate::transfer;
use crate::transport::{Transport, transport};

/// A client of one service, on one node or many. Cheap to clone; clones share their connections.
///
/// Every call is tried again, a bounded number of times, when its error says that it may succeed. Calls that change
/// something carry a request id that is the same on each attempt, so that they are done once, whichever nodes were asked. An error that
/// [may have happened](Error::may_have_happened) means that no attempt could find out.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
    extensions: Arc<Extensions>,
    direct: Option<Arc<dyn DirectReads>>,
}

#[derive(Debug)]
struct Shared {
    transport: Transport,
    authorization: Option<MetadataValue<Ascii>>,
    timeouts: Timeouts,
    retry: RetryPolicy,
    http: reqwest::Client,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    gather: Gather,
    request_ids: RequestIds,
}

impl Client {
    /// A client of the nodes that `config` names. Nothing is sent before the first call. Request ids, waits, and which node
    /// comes first come from `random`; `clock` tells when a URL has expired. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// `invalid_argument` if an endpoint or the TLS options are of no use, or if credentials would go over the network
    /// unencrypted.
    pub fn connect(
        config: &ClientConfig,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let nodes = Nodes::new(channel::nodes(config)?, &*random);
        Self::of(config, transport(nodes), random, clock)
    }

    /// A client of services in this process: calls go straight to `service`, which takes what a gRPC server takes from its
    /// connections. Otherwise as [`Client::connect`]; what `config` says of connections does not matter.
    ///
    /// # Errors
    /// `invalid_argument` if the TLS options, which transfers go by, are of no use.
    pub fn over<S>(
        service: S,
        config: &ClientConfig,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error>
    where
        S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        S::Error: Into<StdError>,
        S::Future: Send,
    {
        Self::of(config, transport(service), random, clock)
    }

    /// The same client, whose calls carry `extension` beside the request: for a service in this process, which may know by
    /// it for whom the call is made. No connection can carry one, so it never reaches a server elsewhere.
    #[must_use]
    pub fn with_extension<T: Clone + Send + Sync + 'static>(&self, extension: T) -> Self {
        let mut extensions = Extensions::clone(&self.extensions);
        extensions.insert(extension);
        Self {
            shared: Arc::clone(&self.shared),
            extensions: Arc::new(extensions),
            direct: self.direct.clone(),
        }
    }

    /// The same client, whose most frequent reads are answered by `objects` itself. It must be the object service that
    /// [`Client::over`] was given, or one that answers the same.
    #[must_use]
    pub fn reading_from(self, objects: Arc<impl ObjectService>) -> Self {
        Self { direct: Some(objects), ..self }
    }

    fn of(
        config: &ClientConfig,
        transport: Transport,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let http = transfer::http_client(config)?;
        let shared = Shared {
            transport,
            authorization: config.credentials.as_ref().map(Credentials::header),
            timeouts: config.timeouts,
            retry: config.retry,
            http,
            random,
            clock,
            gather: Gather::default(),
            request_ids: RequestIds::default(),
        };
        Ok(Self { shared: Arc::new(shared), extensions: Arc::default(), direct: None })
    }

    pub(crate) fn direct(&self) -> Option<&dyn DirectReads> {
        self.direct.as_deref()
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Whether calls are made for somebody whom their extensions name: those of others must not go with them.
    pub(crate) fn for_somebody(&self) -> bool {
        !self.extensions.is_empty()
    }

    pub(crate) fn gather(&self) -> &Gather {
        &self.shared.gather
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

    pub(crate) fn fresh_request_id(&self) -> RequestId {
        self.shared.request_ids.next(&*self.shared.random)
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.shared.clock
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.shared.http
    }

    pub(crate) fn repository_service(&self) -> RepositoryServiceClient<Transport> {
        RepositoryServiceClient::new(self.shared.transport.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn ref_service(&self) -> RefServiceClient<Transport> {
        RefServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn object_service(&self) -> ObjectServiceClient<Transport> {
        ObjectServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn multipart_service(&self) -> MultipartServiceClient<Transport> {
        MultipartServiceClient::new(self.shared.transport.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn import_service(&self) -> ImportServiceClient<Transport> {
        ImportServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn pull_request_service(&self) -> PullRequestServiceClient<Transport> {
        PullRequestServiceClient::new(self.shared.transport.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn commit_service(&self) -> CommitServiceClient<Transport> {
        CommitServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn auth_service(&self) -> AuthServiceClient<Transport> {
        AuthServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn settings_service(&self) -> SettingsServiceClient<Transport> {
        SettingsServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    pub(crate) fn server_service(&self) -> ServerServiceClient<Transport> {
        ServerServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }
}
