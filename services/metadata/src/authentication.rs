//! Who calls: `Authorization: Basic` with access key id and secret, checked once for every service but health.

use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use braid_auth::{Keys, Principal};
use braid_types::{Code, Error};
use braid_wire::status_from_error;
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

/// What may be asked without a key.
const OPEN: &str = "/grpc.health.v1.Health/";

/// Puts [`Authenticated`] around the services.
#[derive(Clone)]
pub(crate) struct AuthenticationLayer {
    keys: Arc<Keys>,
}

impl AuthenticationLayer {
    pub(crate) fn new(keys: Arc<Keys>) -> Self {
        Self { keys }
    }
}

impl<S> Layer<S> for AuthenticationLayer {
    type Service = Authenticated<S>;

    fn layer(&self, inner: S) -> Authenticated<S> {
        Authenticated { inner, keys: Arc::clone(&self.keys) }
    }
}

/// Lets calls through that come with a valid access key, with a [`Principal`] among their extensions.
#[derive(Clone)]
pub(crate) struct Authenticated<S> {
    inner: S,
    keys: Arc<Keys>,
}

impl<S> Service<Request<Body>> for Authenticated<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The service that was found ready is the one to call.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        if request.uri().path().starts_with(OPEN) {
            return Box::pin(inner.call(request));
        }
        let keys = Arc::clone(&self.keys);
        Box::pin(async move {
            match authenticate(&keys, request.headers()).await {
                Ok(principal) => {
                    request.extensions_mut().insert(principal);
                    inner.call(request).await
                }
                Err(error) => Ok(status_from_error(&error).into_http()),
            }
        })
    }
}

async fn authenticate(keys: &Keys, headers: &HeaderMap) -> Result<Principal, Error> {
    let (id, secret) = credentials(headers)?;
    Ok(keys.authenticate(&id, &secret).await?)
}

fn credentials(headers: &HeaderMap) -> Result<(String, String), Error> {
    let refused = |message: &str| Error::new(Code::Unauthenticated, "authorization", message);
    let header = headers.get(AUTHORIZATION).ok_or_else(|| refused("the call has no access key"))?;
    let malformed =
        || refused("the 'authorization' header is not 'Basic' with an access key id and a secret");
    let (scheme, encoded) =
        header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.ok_or_else(malformed)?;
    let (id, secret) = pair.split_once(':').ok_or_else(malformed)?;
    Ok((id.to_owned(), secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> Result<(String, String), Error> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        credentials(&headers)
    }

    #[test]
    fn basic_credentials_are_read() {
        let encoded = STANDARD.encode("id:se:cret");
        for scheme in ["Basic", "basic", "BASIC"] {
            let (id, secret) = with(&format!("{scheme} {encoded}")).unwrap();
            assert_eq!((&id[..], &secret[..]), ("id", "se:cret"));
        }
    }

    #[test]
    fn anything_else_is_refused_without_being_repeated() {
        assert_eq!(credentials(&HeaderMap::new()).unwrap_err().code(), Code::Unauthenticated);
        let no_colon = format!("Basic {}", STANDARD.encode("secret"));
        for wrong in ["Basic", "Basic %", "Bearer secret", &no_colon] {
            let error = with(wrong).unwrap_err();
            assert_eq!(error.code(), Code::Unauthenticated);
            assert!(!error.to_string().contains("%") && !error.to_string().contains("Bearer"), "{error}");
        }
    }
}
