//! What clients tell of their use: it is taken and forgotten, so there is nothing to report of it.

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;

use super::App;
use super::error::ApiError;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/statistics", post(|| async { StatusCode::NO_CONTENT }))
        .route("/usage-report/summary", get(usage))
}

async fn usage() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "usage is not reported: it is not kept")
}
