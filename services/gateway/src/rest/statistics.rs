//! What clients tell of their use: it is taken and forgotten.

use axum::Router;
use axum::routing::post;
use http::StatusCode;

use super::App;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/statistics", post(|| async { StatusCode::NO_CONTENT }))
}
