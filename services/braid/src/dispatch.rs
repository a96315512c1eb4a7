//! Which protocol a request on the HTTP port is for.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Request, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::{Json, Router};
use braid_gateway::{Gateway, S3Gateway};
use braid_objects::S3Endpoint;
use futures::future::BoxFuture;
use serde_json::json;
use tower::Service;

use crate::metrics::meters;

/// Paths of the REST API, and those beside it that its clients know.
const API: [&str; 3] = ["/api/v1", "/_health", "/openapi.json"];

/// What answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    /// The REST API.
    Api,
    /// The gateway's S3 API.
    S3,
    /// The local store's own endpoint.
    Store,
    /// What the process counts.
    Meters,
}

/// The local store as it is served, and the id of the one key that it takes.
#[derive(Debug, Clone)]
pub(crate) struct ServedStore {
    pub(crate) endpoint: S3Endpoint,
    pub(crate) key_id: String,
}

/// The gateway of a process that may still be waiting for what the gateway needs.
#[derive(Clone, Default)]
pub(crate) struct GatewaySlot(Arc<OnceLock<Protocols>>);

/// What a gateway speaks.
#[derive(Clone)]
struct Protocols {
    rest: Router,
    s3: S3Gateway,
}

impl GatewaySlot {
    /// Serves `gateway` from now on.
    pub(crate) fn fill(&self, gateway: &Gateway) {
        let protocols = Protocols { rest: gateway.rest(), s3: gateway.s3() };
        assert!(self.0.set(protocols).is_ok(), "a process has one gateway");
    }

    /// Whether a request comes by a host's name that is kept for the gateway's S3 API.
    fn has_host(&self, headers: &HeaderMap) -> bool {
        self.0.get().is_some_and(|protocols| protocols.s3.has_host(headers))
    }
}

/// Hands each request to what it is for.
#[derive(Clone)]
pub(crate) struct Dispatch {
    store: Option<Arc<ServedStore>>,
    gateway: Option<GatewaySlot>,
}

impl Dispatch {
    /// A port with these services; what is for another one is not found.
    pub(crate) fn new(store: Option<ServedStore>, gateway: Option<GatewaySlot>) -> Self {
        Self { store: store.map(Arc::new), gateway }
    }

    async fn answer(self, mut request: Request<Body>) -> Response<Body> {
        let key_id = self.store.as_ref().map(|store| store.key_id.as_str());
        let (uri, headers) = (request.uri(), request.headers());
        let by_host = || self.gateway.as_ref().is_some_and(|gateway| gateway.has_host(headers));
        match destination(uri, headers, key_id, self.gateway.is_some(), by_host) {
            Destination::Api => self.api(request).await,
            Destination::S3 => self.s3(request).await,
            Destination::Meters => what_is_counted(),
            Destination::Store => match self.store {
                Some(store) => {
                    forget_other_credentials(&mut request);
                    answered(store.endpoint.clone().call(request).await)
                }
                None => StatusCode::NOT_FOUND.into_response(),
            },
        }
    }

    async fn api(self, request: Request<Body>) -> Response<Body> {
        let Some(slot) = self.gateway else { return StatusCode::NOT_FOUND.into_response() };
        match slot.0.get() {
            Some(protocols) => answered(protocols.rest.clone().call(request).await),
            None => {
                let message = json!({ "message": "the server is starting" });
                (StatusCode::SERVICE_UNAVAILABLE, Json(message)).into_response()
            }
        }
    }

    async fn s3(self, mut request: Request<Body>) -> Response<Body> {
        forget_other_credentials(&mut request);
        match self.gateway.and_then(|slot| slot.0.get().map(|protocols| protocols.s3.clone())) {
            Some(mut gateway) => answered(gateway.call(request).await),
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

impl Service<Request<Body>> for Dispatch {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let dispatch = self.clone();
        Box::pin(async move { Ok(dispatch.answer(request).await) })
    }
}

fn answered(result: Result<Response<Body>, Infallible>) -> Response<Body> {
    let Ok(response) = result;
    response
}

/// A signature decides before the path does: a bucket may be called as a path of the API is. With a gateway, the local
/// store is only for those who have its own key; whoever else signs is a user.
fn destination(
    uri: &Uri,
    headers: &HeaderMap,
    store_key: Option<&str>,
    has_gateway: bool,
    by_host: impl FnOnce() -> bool,
) -> Destination {
    match signer(uri, headers) {
        Some(signer) if store_key == Some(signer) || !has_gateway => Destination::Store,
        Some(_) => Destination::S3,
        None if by_host() => Destination::S3,
        None if is_api(uri) => Destination::Api,
        None if uri.path() == "/metrics" => Destination::Meters,
        None => Destination::Store,
    }
}

/// In Prometheus's text format.
fn what_is_counted() -> Response<Body> {
    let Some(meters) = meters() else { return StatusCode::NOT_FOUND.into_response() };
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], meters.render()).into_response()
}

fn is_api(uri: &Uri) -> bool {
    let below = |root: &&str| {
        uri.path().strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    API.iter().any(below)
}

/// The id of the access key that a request is signed with by one of AWS's signatures.
fn signer<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    presigned_by(uri).or_else(|| {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let four =
            value.strip_prefix("AWS4-HMAC-SHA256 ").and_then(|fields| fields.split("Credential=").nth(1));
        let two = value.strip_prefix("AWS ");
        four.or(two)?.split(['/', ':', ',']).next()
    })
}

fn presigned_by(uri: &Uri) -> Option<&str> {
    let mut pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| ["X-Amz-Credential", "AWSAccessKeyId"].contains(name))?;
    value.split(['/', '%']).next()
}

/// A presigned URL is all that its request needs. Clients that were redirected to one on the same host send along what
/// they showed to the API, which would be a second signature here.
fn forget_other_credentials(request: &mut Request<Body>) {
    if presigned_by(request.uri()).is_some() {
        request.headers_mut().remove(AUTHORIZATION);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(uri: &str, authorization: Option<&str>) -> Destination {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        destination(&uri.parse().unwrap(), &headers, Some("BRDI1"), true, || false)
    }

    #[test]
    fn the_signature_decides_before_the_path() {
        let store = "AWS4-HMAC-SHA256 Credential=BRDI1/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        for (uri, authorization, expected) in [
            ("/api/v1/user", None, Destination::Api),
            ("/api/v1/user", Some("Basic YTpi"), Destination::Api),
            ("/api/v1", None, Destination::Api),
            ("/_health", None, Destination::Api),
            ("/api/v10", None, Destination::Store),
            ("/braid.local/api", None, Destination::Store),
            ("/api/v1/object", Some(store), Destination::Store),
            ("/api/v1/object?X-Amz-Credential=BRDI1%2F20260101", None, Destination::Store),
            ("/braid.local/x?X-Amz-Credential=BRDI1/2026", Some("Basic YTpi"), Destination::Store),
            (
                "/lake/main/x",
                Some("AWS4-HMAC-SHA256 Credential=BRDA1/2026/r/s3/aws4_request"),
                Destination::S3,
            ),
            ("/api/v1/user", Some("AWS BRDA1:c2ln"), Destination::S3),
            ("/lake/main/x?X-Amz-Credential=BRDA1/2026", None, Destination::S3),
            ("/metrics", None, Destination::Meters),
            ("/metrics", Some("AWS BRDA1:c2ln"), Destination::S3),
            ("/metrics/x", None, Destination::Store),
        ] {
            assert_eq!(to(uri, authorization), expected, "{uri} {authorization:?}");
        }
    }

    #[test]
    fn a_host_decides_where_nobody_signed_and_without_a_gateway_all_is_the_store_s() {
        let uri: Uri = "/api/v1/user".parse().unwrap();
        let by = |has_gateway, by_host, headers: &HeaderMap| {
            destination(&uri, headers, Some("BRDI1"), has_gateway, || by_host)
        };
        assert_eq!(by(true, true, &HeaderMap::new()), Destination::S3);
        let signed = HeaderMap::from_iter([(AUTHORIZATION, "AWS K:c2ln".parse().unwrap())]);
        assert_eq!(by(false, false, &signed), Destination::Store);
    }

    #[test]
    fn signers_are_read_from_both_signatures_in_both_places() {
        let read = |uri: &str, value: &'static str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            signer(&uri.parse().unwrap(), &headers).map(str::to_owned)
        };
        assert_eq!(read("/", "AWS4-HMAC-SHA256 Credential=K4/2026/r/s3/aws4_request").as_deref(), Some("K4"));
        assert_eq!(read("/", "AWS K2:c2ln").as_deref(), Some("K2"));
        assert_eq!(read("/?AWSAccessKeyId=Q2&Signature=x", "Basic a").as_deref(), Some("Q2"));
        assert_eq!(read("/?x=1", "Basic a"), None);
    }

    #[test]
    fn a_presigned_request_loses_what_the_api_was_shown() {
        let asked = |uri: &str| {
            let mut request =
                Request::builder().uri(uri).header(AUTHORIZATION, "Basic a").body(Body::empty()).unwrap();
            forget_other_credentials(&mut request);
            request.headers().contains_key(AUTHORIZATION)
        };
        assert!(!asked("/b.c/x?X-Amz-Credential=K/1"));
        assert!(asked("/b.c/x"));
    }
}
