//! Writing a large object past the gateway, in parts.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Extension;
use braid_client::{
    CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, PartTarget, UploadAddress,
};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::upload::if_absent;
use crate::rest::body::JsonBody;
use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::names::{ObjectOn, PathQuery};
use crate::rest::openapi::Writing;
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::rest::view::{ObjectStats, Shown};

/// Most parts of an upload.
const MOST_PARTS: u32 = 10_000;

/// How many URLs are asked for at once.
const URLS_AT_ONCE: usize = 1000;

/// An upload that has begun.
#[derive(Serialize, ToSchema)]
#[schema(as = PresignMultipartUpload)]
pub(crate) struct Begun {
    upload_id: String,
    physical_address: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    presigned_urls: Vec<String>,
}

/// Begin an upload in parts.
#[utoipa::path(
    post, path = "/repositories/{repository}/branches/{branch}/staging/pmpu",
    operation_id = "createPresignMultipartUpload",
    params(PathQuery, ("parts" = Option<u32>, Query, maximum = 10000)),
    responses((status = 201, body = Begun), Writing),
)]
pub(crate) async fn create(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let on = ObjectOn::new(segments, &query)?;
    let parts = query.parsed::<u32>("parts")?.unwrap_or_default();
    if parts > MOST_PARTS {
        return Err(ApiError::bad_request(format!("{parts} parts are too many: at most {MOST_PARTS}")));
    }
    let request = CreateMultipartUpload {
        repository: on.repository.clone(),
        branch: on.branch.clone(),
        path: on.path.clone(),
        content_type: String::new(),
        metadata: BTreeMap::new(),
    };
    let begun = caller.client.create_multipart_upload(request).await?;
    let upload = address(on, begun.upload_id.clone());
    let presigned_urls = urls(&caller, &upload, 1..=parts).await?;
    let (upload_id, physical_address) = (begun.upload_id, begun.physical_address);
    Ok((StatusCode::CREATED, Json(Begun { upload_id, physical_address, presigned_urls })))
}

/// The upload of this id to an object.
pub(super) fn address(on: ObjectOn, upload_id: String) -> UploadAddress {
    UploadAddress { repository: on.repository, branch: on.branch, path: on.path, upload_id }
}

async fn urls(
    caller: &Caller,
    upload: &UploadAddress,
    numbers: impl IntoIterator<Item = u32>,
) -> Result<Vec<String>, ApiError> {
    let parts: Vec<_> = numbers.into_iter().map(|number| PartTarget { number, size: None }).collect();
    let mut urls = Vec::with_capacity(parts.len());
    for some in parts.chunks(URLS_AT_ONCE) {
        let signed = caller.client.presign_parts(upload.clone(), some.to_vec()).await?;
        urls.extend(signed.into_iter().map(|part| part.url));
    }
    Ok(urls)
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PartUrl {
    presigned_url: String,
}

/// A place to put a part to.
#[utoipa::path(
    put, path = "/repositories/{repository}/branches/{branch}/staging/pmpu/{upload}/parts/{part}",
    operation_id = "uploadPart",
    params(PathQuery), responses((status = 200, body = PartUrl), Writing),
)]
pub(crate) async fn presign(
    Extension(caller): Extension<Caller>,
    Segments((repository, branch, upload, part)): Segments<(String, String, String, String)>,
    query: Query,
) -> Result<Json<PartUrl>, ApiError> {
    let on = ObjectOn::new((repository, branch), &query)?;
    let number = part_number(&part)?;
    let mut urls = urls(&caller, &address(on, upload), [number.into()]).await?;
    Ok(Json(PartUrl { presigned_url: urls.remove(0) }))
}

/// The part that the segment of a path names.
pub(super) fn part_number(segment: &str) -> Result<u16, ApiError> {
    let number = segment.parse().ok().filter(|number| (1..=MOST_PARTS).contains(&u32::from(*number)));
    number.ok_or_else(|| ApiError::bad_request(format!("'{segment}' is not 1 to {MOST_PARTS}")))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = CompletePresignMultipartUpload)]
pub(crate) struct Completion {
    parts: Vec<PartTag>,
    #[serde(default)]
    user_metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    content_type: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = UploadPart)]
struct PartTag {
    part_number: u32,
    etag: String,
}

/// Make an object of parts.
#[utoipa::path(
    put, path = "/repositories/{repository}/branches/{branch}/staging/pmpu/{upload}",
    operation_id = "completePresignMultipartUpload",
    params(PathQuery, ("If-None-Match" = Option<String>, Header, nullable = false, pattern = r"^\*$")),
    request_body = Completion,
    responses((status = 200, body = ObjectStats), Writing, (status = 409), (status = 412), (status = 501)),
)]
pub(crate) async fn complete(
    Extension(caller): Extension<Caller>,
    Segments((repository, branch, upload)): Segments<(String, String, String)>,
    query: Query,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<Completion>,
) -> Result<Json<ObjectStats>, ApiError> {
    let on = ObjectOn::new((repository, branch), &query)?;
    let tagged = |part: PartTag| CompletedPart {
        number: part.part_number,
        etag: part.etag.trim().trim_matches('"').to_owned(),
    };
    let request = CompleteMultipartUpload {
        upload: address(on, upload),
        parts: asked.parts.into_iter().map(tagged).collect(),
        content_type: asked.content_type.filter(|kind| !kind.is_empty()),
        metadata: asked.user_metadata.unwrap_or_default(),
        if_absent: if_absent(&headers)?,
        if_etag: None,
        if_generation: None,
    };
    let object = caller.client.complete_multipart_upload(request).await?;
    Ok(Json(ObjectStats::of(object, Shown { metadata: true })))
}

/// Give an upload up.
#[utoipa::path(
    delete, path = "/repositories/{repository}/branches/{branch}/staging/pmpu/{upload}",
    operation_id = "abortPresignMultipartUpload",
    params(PathQuery), responses((status = 204), Writing),
)]
pub(crate) async fn abort(
    Extension(caller): Extension<Caller>,
    Segments((repository, branch, upload)): Segments<(String, String, String)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let on = ObjectOn::new((repository, branch), &query)?;
    caller.client.abort_multipart_upload(address(on, upload)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_parts_are_taken_as_are_said_to_be() {
        let operation = <__path_create as utoipa::Path>::operation();
        let described = serde_json::to_value(operation.parameters).unwrap();
        let parts = described.as_array().unwrap().iter().find(|one| one["name"] == "parts").unwrap();
        assert_eq!(parts["schema"]["maximum"], MOST_PARTS);
    }
}
