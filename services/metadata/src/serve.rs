//! Serving: the gRPC server around the handlers, from the first connection to the last.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use braid_wire::proto::auth_service_server::AuthServiceServer;
use braid_wire::proto::commit_service_server::CommitServiceServer;
use braid_wire::proto::import_service_server::ImportServiceServer;
use braid_wire::proto::multipart_service_server::MultipartServiceServer;
use braid_wire::proto::object_service_server::{ObjectService, ObjectServiceServer};
use braid_wire::proto::pull_request_service_server::PullRequestServiceServer;
use braid_wire::proto::ref_service_server::RefServiceServer;
use braid_wire::proto::repository_service_server::RepositoryServiceServer;
use braid_wire::proto::server_service_server::ServerServiceServer;
use braid_wire::proto::settings_service_server::SettingsServiceServer;
use braid_wire::proto::{FILE_DESCRIPTOR_SET, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES};
use tokio::net::TcpListener;
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{self, Server, ServerTlsConfig};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::layer::util::{Identity, Stack};

use crate::authentication::AuthenticationLayer;
use crate::clean_up;
use crate::flattening;
use crate::front::Stops;
use crate::in_process::InProcess;
use crate::metadata::Metadata;
use crate::service::Core;

/// How often a silent connection is probed, and how long an answer may take: work for clients that are gone stops.
const PROBE_INTERVAL: Duration = Duration::from_secs(30);
const PROBE_TIMEOUT: Duration = Duration::from_secs(20);

/// Most calls at once on one connection.
const CALLS_PER_CONNECTION: u32 = 1000;

/// How long the answers of interrupted calls may take to go out.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why serving ended other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The server failed.
    #[error("the gRPC server failed: {0}")]
    Transport(#[from] transport::Error),
    /// The contract's own description cannot be served.
    #[error("the contract cannot be described: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

impl Metadata {
    /// Serves on `listener` until `shutdown` is done; also runs the clean-up that each node does.
    ///
    /// A shutdown is graceful: the port closes, health says so, streams end with `unavailable`, other calls have
    /// [`Settings::drain`](crate::Settings::drain) to finish. What is left then is interrupted; a transaction that is
    /// already committing goes on in the store.
    ///
    /// # Errors
    /// [`ServeError::Transport`] at once if the TLS identity is of no use.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), ServeError> {
        let stops = self.core.front.stops().clone();
        // However this future ends, nothing of it goes on.
        let _on_any_end = stops.draining.clone().drop_guard();
        let (health, routes) = self.routes().await?;
        let server = self.server()?.add_routes(routes);
        let cleaning = tokio::spawn(clean_up::run(Arc::clone(&self.core), stops.draining.clone()));
        let flattening = tokio::spawn(flattening::run(Arc::clone(&self.core), stops.draining.clone()));
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let begin_draining = async {
            shutdown.await;
            tracing::info!("shutting down");
            health.set_service_status("", ServingStatus::NotServing).await;
            stops.draining.cancel();
        };
        let serving = server.serve_with_incoming_shutdown(incoming, begin_draining);
        let ended = drained(serving, &stops, self.core.settings.drain).await;
        stops.draining.cancel();
        cleaning.await.expect("the clean-up does not panic");
        flattening.await.expect("folding does not panic");
        ended
    }

    /// The services without a server: what they are called through by others in this process, who know their callers
    /// themselves.
    pub fn in_process(&self) -> InProcess {
        InProcess::new(self.services().routes())
    }

    /// The object service as it is, for those of its calls that need not be made for anybody.
    pub fn objects(&self) -> Arc<impl ObjectService> {
        Arc::clone(&self.core)
    }

    /// Does what a node does beside answering calls until `shutdown` is done, and then has calls end as
    /// [`Metadata::serve`] does: for a process that calls the services only [itself](Metadata::in_process).
    pub async fn attend(self, shutdown: impl Future<Output = ()> + Send) {
        let stops = self.core.front.stops().clone();
        let _on_any_end = stops.draining.clone().drop_guard();
        let cleaning = tokio::spawn(clean_up::run(Arc::clone(&self.core), stops.draining.clone()));
        shutdown.await;
        stops.draining.cancel();
        cleaning.await.expect("the clean-up does not panic");
    }

    fn server(&self) -> Result<Server<Stack<AuthenticationLayer, Identity>>, ServeError> {
        let mut server = Server::builder()
            .http2_keepalive_interval(Some(PROBE_INTERVAL))
            .http2_keepalive_timeout(Some(PROBE_TIMEOUT))
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .http2_adaptive_window(Some(true))
            .max_concurrent_streams(CALLS_PER_CONNECTION);
        if let Some(tls) = &self.core.settings.tls {
            let identity = transport::Identity::from_pem(&tls.certificates, &tls.private_key);
            server = server.tls_config(ServerTlsConfig::new().identity(identity))?;
        }
        Ok(server.layer(AuthenticationLayer::new(Arc::clone(&self.keys))))
    }

    async fn routes(&self) -> Result<(HealthReporter, Routes), ServeError> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        for name in SERVICES {
            health.set_service_status(name, ServingStatus::Serving).await;
        }
        let mut routes = self.services();
        routes.add_service(health_service).add_service(reflection);
        Ok((health, routes.routes()))
    }
}

/// The handlers of the contract's services, and their names.
macro_rules! services {
    ($($server:ident),*) => {
        const SERVICES: &[&str] = &[$(<$server<Core> as NamedService>::NAME,)*];

        impl Metadata {
            fn services(&self) -> RoutesBuilder {
                let mut routes = RoutesBuilder::default();
                $(
                    let service = $server::from_arc(Arc::clone(&self.core))
                        .max_decoding_message_size(MAX_MESSAGE_BYTES)
                        .max_encoding_message_size(MAX_MESSAGE_BYTES);
                    routes.add_service(service);
                )*
                routes
            }
        }
    };
}

services!(
    RepositoryServiceServer,
    RefServiceServer,
    ObjectServiceServer,
    MultipartServiceServer,
    CommitServiceServer,
    ImportServiceServer,
    PullRequestServiceServer,
    ServerServiceServer,
    SettingsServiceServer,
    AuthServiceServer
);

/// Lets `serving` end by itself, but not longer than `drain` after the draining began.
async fn drained(
    serving: impl Future<Output = Result<(), transport::Error>>,
    stops: &Stops,
    drain: Duration,
) -> Result<(), ServeError> {
    let mut serving = pin!(serving);
    let too_long = async {
        stops.draining.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        ended = &mut serving => return Ok(ended?),
        () = too_long => tracing::warn!("calls are interrupted: they did not end in time"),
    }
    stops.halted.cancel();
    match tokio::time::timeout(FAREWELL, serving).await {
        Ok(ended) => Ok(ended?),
        Err(_) => Ok(()),
    }
}
