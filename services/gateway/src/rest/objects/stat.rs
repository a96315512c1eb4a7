//! What is known of an object.

use axum::Json;
use axum::extract::Extension;
use http::StatusCode;
use serde_json::{Value, json};

use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::names::{ObjectAt, ObjectOn};
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::rest::view::{ObjectStats, Shown};

/// `GET /repositories/{repository}/refs/{ref}/objects/stat`
pub(crate) async fn stat(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<Json<ObjectStats>, ApiError> {
    let at = ObjectAt::new(segments, &query)?;
    let shown = Shown { metadata: query.flag_or("user_metadata", true)? };
    if !query.flag("presign")? {
        let object = caller.client.stat_object(&at.repository, &at.reference, &at.path).await?;
        return Ok(Json(ObjectStats::of(object, shown)));
    }
    let download = caller.client.get_download_url(&at.repository, &at.reference, &at.path).await?;
    Ok(Json(ObjectStats::of(download.object, shown).presigned(download.url, download.expires_at)))
}

/// `GET /repositories/{repository}/refs/{ref}/objects/underlyingProperties`: nothing is known of storage classes.
pub(crate) async fn properties(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let at = ObjectAt::new(segments, &query)?;
    caller.client.stat_object(&at.repository, &at.reference, &at.path).await?;
    Ok(Json(json!({})))
}

/// `GET /repositories/{repository}/branches/{branch}/objects/stage_allowed`: whether an upload would be taken.
pub(crate) async fn stage_allowed(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let on = ObjectOn::new(segments, &query)?;
    let target = super::upload::target(on.path);
    caller.client.create_upload_without_headers(&on.repository, &on.branch, target).await?;
    Ok(StatusCode::NO_CONTENT)
}
