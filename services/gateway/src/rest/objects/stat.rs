//! What is known of an object.

use axum::Json;
use axum::extract::Extension;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::names::{ObjectAt, ObjectOn, PathQuery};
use crate::rest::openapi::{Reading, Writing};
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::rest::view::{ObjectStats, Shown};

/// What is known of an object.
#[utoipa::path(
    get, path = "/repositories/{repository}/refs/{ref}/objects/stat", operation_id = "statObject",
    params(PathQuery, ("presign" = Option<bool>, Query), ("user_metadata" = Option<bool>, Query)),
    responses((status = 200, body = ObjectStats), Reading, (status = 410)),
)]
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

#[derive(Serialize, ToSchema)]
pub(crate) struct UnderlyingObjectProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    storage_class: Option<&'static str>,
}

/// What the storage says of an object: nothing is known of storage classes.
#[utoipa::path(
    get, path = "/repositories/{repository}/refs/{ref}/objects/underlyingProperties",
    operation_id = "getUnderlyingProperties",
    params(PathQuery), responses((status = 200, body = UnderlyingObjectProperties), Reading),
)]
pub(crate) async fn properties(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<Json<UnderlyingObjectProperties>, ApiError> {
    let at = ObjectAt::new(segments, &query)?;
    caller.client.stat_object(&at.repository, &at.reference, &at.path).await?;
    Ok(Json(UnderlyingObjectProperties { storage_class: None }))
}

/// Whether an object may be stored.
#[utoipa::path(
    get, path = "/repositories/{repository}/branches/{branch}/objects/stage_allowed",
    operation_id = "uploadObjectPreflight",
    params(PathQuery), responses((status = 204), Writing),
)]
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
