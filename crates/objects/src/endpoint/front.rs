//! The service in front of the protocol library.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::body::Body;
use futures::future::BoxFuture;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use s3s::service::S3Service;
use tower::Service;

use crate::is_local_bucket;
use crate::protocol::{Addressing, answer};

/// The S3 endpoint of a local store. It answers every request, if only with an error in S3's form.
#[derive(Debug, Clone)]
pub struct S3Endpoint {
    inner: S3Service,
}

impl S3Endpoint {
    pub(super) fn new(inner: S3Service) -> Self {
        Self { inner }
    }
}

impl Service<Request<Body>> for S3Endpoint {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let inner = self.inner.clone();
        Box::pin(async move {
            if request.method() == Method::OPTIONS && is_in_local_bucket(request.uri().path()) {
                return Ok(with_cors(preflight(request.headers())));
            }
            Ok(with_cors(answer(inner, Addressing::Path, request).await))
        })
    }
}

fn is_in_local_bucket(path: &str) -> bool {
    path.trim_start_matches('/').split('/').next().is_some_and(is_local_bucket)
}

/// Lets a browser send what it asks to send: the signature decides, and no cookie is involved.
fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    let any = HeaderValue::from_static("*");
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned().unwrap_or(any);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

/// Lets a page from anywhere read the answer.
fn with_cors(mut response: Response<Body>) -> Response<Body> {
    const CORS: [(HeaderName, &str); 2] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Content-Range, Content-Length, Last-Modified"),
    ];
    for (name, value) in CORS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
