//! Writing an object past the gateway: a place to put the data, then the link.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Extension;
use braid_client::Link;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::upload::{if_absent, target};
use crate::rest::body::JsonBody;
use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::names::ObjectOn;
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::rest::view::{ObjectStats, Shown};

/// Stands between an address and the proof that it was given out. Neither holds one.
const PROOF: char = ',';

/// Where the data of an object is to be put.
#[derive(Serialize)]
pub(crate) struct Location {
    physical_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    presigned_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presigned_url_expiry: Option<i64>,
}

/// `GET /repositories/{repository}/branches/{branch}/staging/backing`
pub(crate) async fn place(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<Json<Location>, ApiError> {
    let on = ObjectOn::new(segments, &query)?;
    let presign = query.flag("presign")?;
    let upload =
        caller.client.create_upload_without_headers(&on.repository, &on.branch, target(on.path)).await?;
    Ok(Json(Location {
        physical_address: format!("{}{PROOF}{}", upload.physical_address, upload.intent),
        presigned_url: presign.then_some(upload.url),
        presigned_url_expiry: presign.then_some(upload.expires_at.seconds),
    }))
}

#[derive(Deserialize)]
pub(crate) struct Staged {
    staging: Address,
    checksum: String,
    size_bytes: u64,
    #[serde(default)]
    user_metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    content_type: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    physical_address: String,
}

/// `PUT /repositories/{repository}/branches/{branch}/staging/backing`
pub(crate) async fn link(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<Staged>,
) -> Result<Json<ObjectStats>, ApiError> {
    let on = ObjectOn::new(segments, &query)?;
    let checksum = asked.checksum.trim().trim_matches('"');
    if checksum.is_empty() {
        return Err(ApiError::bad_request("the field 'checksum' is empty"));
    }
    let link = Link {
        path: on.path,
        intent: proof(&asked.staging.physical_address)?.to_owned(),
        checksum: checksum.to_owned(),
        size: asked.size_bytes,
        content_type: asked.content_type.unwrap_or_default(),
        metadata: asked.user_metadata.unwrap_or_default(),
        if_absent: if_absent(&headers)?,
        if_etag: None,
        if_generation: None,
    };
    let object = caller.client.link_upload(&on.repository, &on.branch, link).await?;
    Ok(Json(ObjectStats::of(object, Shown { metadata: true })))
}

/// An address without a proof is one that nobody was given: linking it would be an import.
fn proof(address: &str) -> Result<&str, ApiError> {
    let missing = || {
        ApiError::bad_request(format!(
            "physical address '{address}' is invalid: it was not given out for an upload"
        ))
    };
    address.rsplit_once(PROOF).map(|(_, proof)| proof).ok_or_else(missing)
}

/// `PUT /repositories/{repository}/branches/{branch}/objects`: stages any address, which needs imports.
pub(crate) async fn stage(
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<Json<ObjectStats>, ApiError> {
    ObjectOn::new(segments, &query)?;
    Err(ApiError::not_implemented())
}
