//! The service in front of the protocol library.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::body::Body;
use braid_objects::protocol::{Addressing, answer};
use futures::future::BoxFuture;
use http::header::HOST;
use http::{HeaderMap, Request, Response};
use s3s::service::S3Service;
use tower::Service;

use super::host;

/// The gateway's S3 API. It answers every request, if only with an error in S3's form.
#[derive(Debug, Clone)]
pub struct S3Gateway {
    inner: S3Service,
    domain: Option<String>,
}

impl S3Gateway {
    pub(super) fn new(inner: S3Service, domain: Option<String>) -> Self {
        Self { inner, domain }
    }

    /// Whether a request comes by a host's name that is kept for the S3 API.
    #[must_use]
    pub fn has_host(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        self.domain.as_deref().zip(host).is_some_and(|(domain, host)| host::is_of(domain, host))
    }

    fn addressing(&self, headers: &HeaderMap) -> Addressing {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        match self.domain.as_deref().zip(host).and_then(|(domain, host)| host::bucket(domain, host)) {
            Some(_) => Addressing::Host,
            None => Addressing::Path,
        }
    }
}

impl Service<Request<Body>> for S3Gateway {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (service, addressing) = (self.inner.clone(), self.addressing(request.headers()));
        Box::pin(async move { Ok(answer(service, addressing, request).await) })
    }
}
