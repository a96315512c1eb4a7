//! The services as they are called without a connection, by others in the same process.

use std::convert::Infallible;
use std::future::ready;
use std::task::{Context, Poll};

use braid_auth::Principal;
use braid_types::{Code, Error};
use braid_wire::status_from_error;
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service;

/// The services of a [`Metadata`](crate::Metadata). A call must carry the [`Principal`] that it is made for among its
/// request's extensions: whoever calls has found out who that is. Requests from the network have no extensions but those
/// that a server of this process gave them.
#[derive(Debug, Clone)]
pub struct InProcess {
    routes: Routes,
}

impl InProcess {
    pub(crate) fn new(routes: Routes) -> Self {
        Self { routes: routes.prepare() }
    }
}

impl Service<Request<Body>> for InProcess {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.routes, context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.extensions().get::<Principal>().is_none() {
            let message = "a call within the process does not say for whom it is made";
            let error = Error::new(Code::Unauthenticated, "principal", message);
            return Box::pin(ready(Ok(status_from_error(&error).into_http())));
        }
        Box::pin(self.routes.call(request))
    }
}
