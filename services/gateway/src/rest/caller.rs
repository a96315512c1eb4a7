//! Who calls.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use braid_auth::Principal;
use braid_client::Client;
use braid_types::{Code, Error};
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};

use super::App;
use super::error::ApiError;

/// The cookie that holds the token of a session, by lakeFS's name for it.
pub(crate) const SESSION_COOKIE: &str = "internal_auth_session";

/// Who calls, and a client of the services that acts for them.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Whose key or session it is.
    pub(crate) principal: Principal,
    /// Makes calls for them.
    pub(crate) client: Client,
}

/// Lets requests through that show who makes them, with a [`Caller`] among their extensions.
pub(crate) async fn authenticate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    match principal(&app, request.headers()).await {
        Ok(principal) => {
            let client = app.client_for(&principal);
            request.extensions_mut().insert(Caller { principal, client });
            next.run(request).await
        }
        Err(error) => ApiError::from(error).into_response(),
    }
}

/// Tries what is shown in lakeFS's order: a token, a key, the cookie of a session.
async fn principal(app: &App, headers: &HeaderMap) -> Result<Principal, Error> {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match given.map(|value| value.split_once(' ').unwrap_or((value, ""))) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(app.parts.sessions.principal(token.trim()).await?)
        }
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
            let (id, secret) = basic(pair).ok_or_else(refused)?;
            Ok(app.parts.keys.authenticate(&id, &secret).await?)
        }
        Some(_) => Err(refused()),
        None => {
            let token = cookie(headers).ok_or_else(refused)?;
            Ok(app.parts.sessions.principal(token).await?)
        }
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, token)| token)
}

fn basic(encoded: &str) -> Option<(String, String)> {
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn refused() -> Error {
    Error::new(Code::Unauthenticated, "authorization", "the request has no valid credentials")
}
