//! The description of what is served, for those who make clients from it.
//!
//! Each handler describes its operation, and what is routed is what is described: [`OpenApiRouter`] takes both at once.
//! The types of bodies and answers describe themselves. Clients know operations and schemas by lakeFS's names for them.
//!
//! [`OpenApiRouter`]: utoipa_axum::router::OpenApiRouter

mod answers;
mod complete;
mod operations;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use md5::{Digest, Md5};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Info, License, OpenApi, SecurityRequirement, Server};
use utoipa::{PartialSchema, ToSchema};

pub(crate) use answers::{Data, Reading, Writing};
pub(crate) use operations::again;

use super::caller::SESSION_COOKIE;
use super::config::API_VERSION;
use super::error::Message;
use complete::{Door, completed};

/// The whole description: of the operations that everybody may ask for, and of the others.
pub(crate) fn description(open: OpenApi, closed: OpenApi) -> OpenApi {
    let mut whole = completed(open, Door::Open);
    whole.merge(completed(closed, Door::Closed));
    whole.info = Info::new("lakeFS's API as Braid serves it", API_VERSION);
    whole.info.license = Some(License::new("Apache-2.0"));
    whole.servers = Some(vec![Server::new("/api/v1")]);
    let schemes = [
        ("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic))),
        ("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
        ("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)))),
    ];
    let any = schemes.iter().map(|(name, _)| SecurityRequirement::new(*name, [""; 0]));
    whole.security = Some(any.collect());
    let components = whole.components.get_or_insert_default();
    components.schemas.insert(Message::name().into_owned(), Message::schema());
    for (name, scheme) in schemes {
        components.add_security_scheme(name, scheme);
    }
    whole
}

/// Serves a description: one text, made once, with a tag by which it is known again.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(description: &OpenApi) -> Router<S> {
    let text = Bytes::from(serde_json::to_vec(description).expect("a description is JSON"));
    let tag = format!("\"{}\"", hex::encode(Md5::digest(&text)));
    let tag = HeaderValue::from_str(&tag).expect("digits may stand in a header");
    let answer = async move |headers: HeaderMap| served(&text, &tag, &headers);
    Router::new().route("/openapi.json", get(answer))
}

fn served(text: &Bytes, tag: &HeaderValue, headers: &HeaderMap) -> Response {
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known == tag) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag.clone())]).into_response();
    }
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json), (ETAG, tag.clone())], text.clone()).into_response()
}
