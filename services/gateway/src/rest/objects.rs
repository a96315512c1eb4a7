//! Objects: reading, writing, listing them.

mod stat;

use axum::Router;
use axum::routing::get;

use super::App;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/repositories/{repository}/refs/{ref}/objects/stat", get(stat::stat))
}
