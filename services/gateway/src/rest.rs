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
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::gateway::Shared;
use error::ApiError;

/// The largest body of a request that is not an upload, in bytes.
const BODY_BYTES: usize = 16 << 20;

/// What all handlers are given.
type App = Arc<Shared>;

/// The whole API.
pub(crate) fn router(shared: &App) -> Router {
    let (open, described_open) = open().split_for_parts();
    let (closed, described_closed) = closed().split_for_parts();
    let description = openapi::description(described_open, described_closed);
    let api = open.merge(closed.layer(from_fn_with_state(Arc::clone(shared), caller::authenticate)));
    let api = api.fallback(no_endpoint).method_not_allowed_fallback(no_method);
    Router::new()
        .nest("/api/v1", api)
        .route("/_health", get(|| async { "alive!" }))
        .merge(openapi::routes(&description))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(shared), headers::common))
        .with_state(Arc::clone(shared))
}

/// What may be asked without a key.
fn open() -> OpenApiRouter<App> {
    setup::routes().routes(routes!(health))
}

/// That the server answers.
#[utoipa::path(get, path = "/healthcheck", operation_id = "healthCheck", responses((status = 204)))]
async fn health() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Everything else.
fn closed() -> OpenApiRouter<App> {
    let described = CLOSED.iter().fold(OpenApiRouter::new(), |all, routes| all.merge(routes()));
    described.merge(unbuilt::routes().into())
}

/// The routes of each module for which a key is needed.
const CLOSED: &[fn() -> OpenApiRouter<App>] = &[
    config::routes,
    users::routes,
    settings::routes,
    dumps::routes,
    trees::routes,
    statistics::routes,
    repositories::routes,
    branches::routes,
    tags::routes,
    commits::routes,
    imports::routes,
    diffs::routes,
    merges::routes,
    pulls::routes,
    objects::routes,
];

async fn no_endpoint() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "invalid API endpoint")
}

async fn no_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
}
