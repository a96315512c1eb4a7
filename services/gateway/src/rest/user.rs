//! The caller as a user.

use axum::extract::Extension;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::App;
use super::caller::Caller;
use super::error::ApiError;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/user", get(current))
}

async fn current(Extension(caller): Extension<Caller>) -> Result<Json<Value>, ApiError> {
    let identity = caller.client.who_am_i().await?;
    Ok(Json(json!({ "user": { "id": identity.user, "creation_date": 0 } })))
}
