//! What clients tell of their use: it is taken and forgotten, so there is nothing to report of it.

use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::error::ApiError;
use super::openapi::Reading;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(take)).routes(routes!(usage))
}

/// Telemetry of clients, which is forgotten.
#[utoipa::path(
    post, path = "/statistics", operation_id = "postStatsEvents",
    responses((status = 204), Reading),
)]
async fn take() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// What was used: it is not kept.
#[utoipa::path(
    get, path = "/usage-report/summary", operation_id = "getUsageReportSummary",
    responses((status = 404)),
)]
async fn usage() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "usage is not reported: it is not kept")
}
