//! How calls reach the services: over a connection, or straight into a service in this process.

use http::{Request, Response};
use tonic::body::Body;
use tonic::codegen::StdError;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

/// Anything that takes gRPC requests and answers them.
pub(crate) type Transport = BoxCloneSyncService<Request<Body>, Response<Body>, TransportError>;

/// Why a call did not get its answer, as whatever carried it says.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct TransportError(StdError);

/// Hides which service it is.
pub(crate) fn transport<S>(service: S) -> Transport
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
    S::Error: Into<StdError>,
    S::Future: Send,
{
    BoxCloneSyncService::new(service.map_err(|error: S::Error| TransportError(error.into())))
}
