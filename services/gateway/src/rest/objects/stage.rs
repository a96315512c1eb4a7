//! Writing an object past the gateway: a place to put the data, then the link. Or the link alone, to data that is in a bucket already.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Extension, State};
use braid_client::{Link, LinkObject, Object};
use braid_types::{Time, xid};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::upload::{if_absent, target};
use crate::rest::App;
use crate::rest::body::JsonBody;
use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::names::{ObjectOn, PathQuery};
use crate::rest::openapi::Writing;
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::rest::view::{ObjectStats, Shown};

/// Stands between an address and the proof that it was given out. Neither holds one.
const PROOF: char = ',';

/// Where the data of an object is to be put.
#[derive(Serialize, ToSchema)]
#[schema(as = StagingLocation)]
pub(crate) struct Location {
    physical_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    presigned_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    presigned_url_expiry: Option<i64>,
}

/// A place to put data to.
#[utoipa::path(
    get, path = "/repositories/{repository}/branches/{branch}/staging/backing",
    operation_id = "getPhysicalAddress",
    params(PathQuery, ("presign" = Option<bool>, Query)),
    responses((status = 200, body = Location), Writing),
)]
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

/// What is to be linked, as both ways to ask for it say.
#[derive(Deserialize, ToSchema)]
#[schema(as = StagedContent)]
pub(crate) struct Content {
    checksum: String,
    size_bytes: u64,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    mtime: Option<i64>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = StagingMetadata)]
pub(crate) struct Staged {
    staging: Address,
    #[serde(default, alias = "metadata")]
    user_metadata: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    content: Content,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = StagingAddress)]
struct Address {
    physical_address: String,
}

/// Link what was put there.
#[utoipa::path(
    put, path = "/repositories/{repository}/branches/{branch}/staging/backing",
    operation_id = "linkPhysicalAddress",
    params(PathQuery, ("If-None-Match" = Option<String>, Header, nullable = false, pattern = r"^\*$")),
    request_body = Staged,
    responses((status = 200, body = ObjectStats), Writing, (status = 412), (status = 501)),
)]
pub(crate) async fn link(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<Staged>,
) -> Result<Json<ObjectStats>, ApiError> {
    let on = ObjectOn::new(segments, &query)?;
    let Staged { staging, user_metadata, content } = asked;
    let metadata = user_metadata.unwrap_or_default();
    let linking = Linking { on, if_absent: if_absent(&headers)?, metadata, content };
    let object = linking.link(&app, &caller, &staging.physical_address).await?;
    Ok(Json(ObjectStats::of(object, Shown { metadata: true })))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ObjectStageCreation)]
pub(crate) struct StagedObject {
    physical_address: String,
    #[serde(default, alias = "user_metadata")]
    metadata: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    content: Content,
}

/// Link data that is in a bucket already.
#[utoipa::path(
    put, path = "/repositories/{repository}/branches/{branch}/objects", operation_id = "stageObject",
    params(PathQuery), request_body = StagedObject, responses((status = 201, body = ObjectStats), Writing),
)]
pub(crate) async fn stage(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
    JsonBody(asked): JsonBody<StagedObject>,
) -> Result<(StatusCode, Json<ObjectStats>), ApiError> {
    let on = ObjectOn::new(segments, &query)?;
    let StagedObject { physical_address, metadata, content } = asked;
    let metadata = metadata.unwrap_or_default();
    let linking = Linking { on, if_absent: false, metadata, content };
    let object = linking.link(&app, &caller, &physical_address).await?;
    Ok((StatusCode::CREATED, Json(ObjectStats::of(object, Shown { metadata: true }))))
}

/// A link on its way.
struct Linking {
    on: ObjectOn,
    if_absent: bool,
    metadata: BTreeMap<String, String>,
    content: Content,
}

impl Linking {
    /// Links an address that was given out, by its proof, or one of another place.
    async fn link(self, app: &App, caller: &Caller, address: &str) -> Result<Object, ApiError> {
        let ObjectOn { repository, branch, path } = self.on;
        let Content { checksum, size_bytes, content_type, mtime } = self.content;
        let checksum = checksum.trim().trim_matches('"').to_owned();
        if checksum.is_empty() {
            return Err(ApiError::bad_request("the field 'checksum' is empty"));
        }
        let (content_type, metadata) = (content_type.unwrap_or_default(), self.metadata);
        let (size, if_absent, if_etag) = (size_bytes, self.if_absent, None);
        let Some(intent) = proof(address).map(str::to_owned) else {
            let mtime = mtime.map(Time::from_seconds);
            let physical_address = app.settings.address(address);
            let request = LinkObject {
                repository,
                branch,
                path,
                physical_address,
                checksum,
                size,
                content_type,
                metadata,
                mtime,
                if_absent,
                if_etag,
            };
            return Ok(caller.client.link_object(request).await?);
        };
        let (if_etag, if_generation) = (None, None);
        let link =
            Link { path, intent, checksum, size, content_type, metadata, if_absent, if_etag, if_generation };
        Ok(caller.client.link_upload(&repository, &branch, link).await?)
    }
}

/// The proof that an address of the form that is given out comes with. Any other address may hold commas of its own.
fn proof(address: &str) -> Option<&str> {
    let (place, proof) = address.rsplit_once(PROOF)?;
    let mut parts = place.rsplit('/');
    let is_given = [parts.next(), parts.next()].into_iter().all(|part| part.is_some_and(is_xid));
    (is_given && parts.next() == Some("data")).then_some(proof)
}

fn is_xid(text: &str) -> bool {
    xid::decode(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_are_given_out_come_with_a_proof() {
        let (id, other) = ("9m4e2mr0ui3e8a215n4g", "9m4e2mr0ui3e8a215n50");
        assert_eq!(proof(&format!("s3://b/lake/data/{id}/{other},a.b_c-d")), Some("a.b_c-d"));
        for foreign in [
            format!("s3://b/lake/data/{id}/{other}"),
            format!("s3://b/lake/{id}/{other},proof"),
            format!("s3://b/lake/data/{id}/x,proof"),
            format!("s3://b/lake/data/x/{id},proof"),
            "s3://b/a,b".to_owned(),
            ",".to_owned(),
        ] {
            assert_eq!(proof(&foreign), None, "{foreign}");
        }
    }
}
