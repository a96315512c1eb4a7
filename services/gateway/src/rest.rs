//! lakeFS's REST API.
//!
//! A request passes [`caller`], which finds out who calls, and one handler, which turns it into calls of the services and
//! their answers into what lakeFS's clients expect. What those are is written in lakeFS's API description; where its server
//! does otherwise, so does this one.

mod body;
mod branches;
mod caller;
mod commits;
mod config;
mod diffs;
mod dumps;
mod error;
mod gather;
mod headers;
mod imports;
mod merges;
mod names;
mod objects;
mod openapi;
mod pulls;
mod query;
mod repositories;
mod route;
mod samples;
mod settings;
mod setup;
mod statistics;
mod tags;
mod trees;
mod unbuilt;
mod users;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use http::StatusCode;

use crate::gateway::Shared;
use error::ApiError;

/// The largest body of a request that is not an upload, in bytes.
const BODY_BYTES: usize = 16 << 20;

/// What all handlers are given.
type App = Arc<Shared>;

/// The whole API.
pub(crate) fn router(shared: &App) -> Router {
    let api = open().merge(closed().layer(from_fn_with_state(Arc::clone(shared), caller::authenticate)));
    let api = api.fallback(no_endpoint).method_not_allowed_fallback(no_method);
    Router::new()
        .nest("/api/v1", api)
        .route("/_health", get(|| async { "alive!" }))
        .merge(openapi::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(shared), headers::common))
        .with_state(Arc::clone(shared))
}

/// What may be asked without a key.
fn open() -> Router<App> {
    setup::routes().route("/healthcheck", get(|| async { StatusCode::NO_CONTENT }))
}

/// Everything else.
fn closed() -> Router<App> {
    Router::new()
        .merge(config::routes())
        .merge(users::routes())
        .merge(settings::routes())
        .merge(dumps::routes())
        .merge(trees::routes())
        .merge(statistics::routes())
        .merge(repositories::routes())
        .merge(branches::routes())
        .merge(tags::routes())
        .merge(commits::routes())
        .merge(imports::routes())
        .merge(diffs::routes())
        .merge(merges::routes())
        .merge(pulls::routes())
        .merge(objects::routes())
        .merge(unbuilt::routes())
}

async fn no_endpoint() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "invalid API endpoint")
}

async fn no_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
}
