//! Deleting and copying objects, and changing what is said of them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Extension;
use braid_client::CopyObject;
use braid_types::{ObjectPath, RefExpression};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::body::JsonBody;
use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::names::{ObjectOn, PathQuery, branch_on};
use crate::rest::openapi::Writing;
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::rest::view::{ObjectStats, Shown};

/// How many paths one request may delete.
const MOST_PATHS: usize = 1000;

/// Delete an object.
///
/// What is not there is deleted.
#[utoipa::path(
    delete, path = "/repositories/{repository}/branches/{branch}/objects", operation_id = "deleteObject",
    params(PathQuery), responses((status = 204), Writing),
)]
pub(crate) async fn delete(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let on = ObjectOn::new(segments, &query)?;
    caller.client.delete_object(&on.repository, &on.branch, &on.path).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct PathList {
    paths: Vec<String>,
}

/// What could not be deleted.
#[derive(Serialize, ToSchema)]
pub(crate) struct ObjectErrorList {
    errors: Vec<ObjectError>,
}

#[derive(Serialize, ToSchema)]
struct ObjectError {
    status_code: u16,
    message: String,
    path: String,
}

/// Delete up to 1,000 objects.
///
/// All of the paths that are paths are deleted in one transaction.
#[utoipa::path(
    post, path = "/repositories/{repository}/branches/{branch}/objects/delete",
    operation_id = "deleteObjects",
    request_body = PathList, responses((status = 200, body = ObjectErrorList), Writing),
)]
pub(crate) async fn delete_many(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    JsonBody(asked): JsonBody<PathList>,
) -> Result<Json<ObjectErrorList>, ApiError> {
    let (repository, branch) = branch_on(segments)?;
    if asked.paths.len() > MOST_PATHS {
        let count = asked.paths.len();
        return Err(ApiError::bad_request(format!("{count} paths are too many: at most {MOST_PATHS}")));
    }
    let (mut paths, mut errors) = (Vec::new(), Vec::new());
    for path in asked.paths {
        match ObjectPath::new(path.clone()) {
            Ok(path) => paths.push(path),
            Err(error) => errors.push(ObjectError { status_code: 400, message: error.to_string(), path }),
        }
    }
    if paths.is_empty() {
        caller.client.get_branch(&repository, &branch).await?;
    } else {
        caller.client.delete_objects(&repository, &branch, paths).await?;
    }
    Ok(Json(ObjectErrorList { errors }))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct ObjectCopyCreation {
    src_path: String,
    src_ref: Option<String>,
}

/// Copy an object.
#[utoipa::path(
    post, path = "/repositories/{repository}/branches/{branch}/objects/copy", operation_id = "copyObject",
    params(("dest_path" = String, Query, min_length = 1)), request_body = ObjectCopyCreation,
    responses((status = 201, body = ObjectStats), Writing),
)]
pub(crate) async fn copy(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
    JsonBody(asked): JsonBody<ObjectCopyCreation>,
) -> Result<(StatusCode, Json<ObjectStats>), ApiError> {
    let (repository, branch) = branch_on(segments)?;
    let source = asked.src_ref.filter(|reference| !reference.is_empty());
    let request = CopyObject {
        repository,
        reference: RefExpression::parse(source.as_deref().unwrap_or(branch.as_str()))?,
        source: ObjectPath::existing(asked.src_path)?,
        path: ObjectPath::new(query.required("dest_path")?)?,
        branch,
        metadata: None,
        if_absent: false,
        if_etag: None,
        if_generation: None,
    };
    let object = caller.client.copy_object(request).await?;
    Ok((StatusCode::CREATED, Json(ObjectStats::of(object, Shown { metadata: true }))))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct UpdateObjectUserMetadata {
    set: BTreeMap<String, String>,
}

/// Replace an object's metadata.
#[utoipa::path(
    put, path = "/repositories/{repository}/branches/{branch}/objects/stat/user_metadata",
    operation_id = "updateObjectUserMetadata",
    params(PathQuery), request_body = UpdateObjectUserMetadata,
    responses((status = 204), Writing, (status = 409)),
)]
pub(crate) async fn update_metadata(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
    JsonBody(asked): JsonBody<UpdateObjectUserMetadata>,
) -> Result<StatusCode, ApiError> {
    let on = ObjectOn::new(segments, &query)?;
    caller.client.set_object_metadata(&on.repository, &on.branch, &on.path, asked.set).await?;
    Ok(StatusCode::NO_CONTENT)
}
