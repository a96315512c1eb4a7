//! Writing an object through the gateway.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Extension, Request, State};
use braid_client::{Link, Object, Upload, UploadTarget};
use braid_types::ObjectPath;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};

use super::incoming::{Form, Incoming};
use crate::data::Place;
use crate::rest::App;
use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::names::{ObjectOn, PathQuery};
use crate::rest::openapi::{Data, Writing};
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::rest::view::{ObjectStats, Shown};

/// Headers that become the user's own keys and values.
const METADATA_HEADER: &str = "x-lakefs-meta-";

/// Headers that become keys of lakeFS's own, and what those begin with.
const INTERNAL_HEADER: &str = "x-lakefs-internal-";
const INTERNAL_KEY: &str = "::lakefs::";

/// Store an object: its data is the body, or the field `content` of a form.
#[utoipa::path(
    post, path = "/repositories/{repository}/branches/{branch}/objects", operation_id = "uploadObject",
    params(PathQuery, ("If-None-Match" = Option<String>, Header, nullable = false, pattern = r"^\*$")),
    request_body(content((inline(Data) = "application/octet-stream"), (inline(Form) = "multipart/form-data"))),
    responses((status = 201, body = ObjectStats), Writing, (status = 412), (status = 501)),
)]
pub(crate) async fn upload(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
    request: Request,
) -> Result<(StatusCode, Json<ObjectStats>), ApiError> {
    let on = ObjectOn::new(segments, &query)?;
    let if_absent = if_absent(request.headers())?;
    let metadata = user_metadata(request.headers())?;
    let upload = caller.client.create_upload(&on.repository, &on.branch, target(on.path.clone())).await?;
    let place = Place::at(&*app.parts.stores, &upload.physical_address)?;
    let incoming = Incoming::of(request).await?;
    let stored_type = Some(incoming.content_type.clone()).filter(|kind| !kind.is_empty());
    let written = place.write(incoming.body, incoming.length, stored_type, on.path.as_str()).await?;
    let link = Link {
        checksum: written.etag,
        size: written.size,
        content_type: incoming.content_type,
        metadata,
        if_absent,
        ..unconditional(upload)
    };
    let object = linked(&caller, &on, link, &place).await?;
    Ok((StatusCode::CREATED, Json(ObjectStats::of(object, Shown { metadata: true }))))
}

/// What is to be uploaded to `path`; its type is told only when it is linked.
pub(crate) fn target(path: ObjectPath) -> UploadTarget {
    UploadTarget { path, content_type: String::new(), size: None }
}

/// The link of an upload of which nothing is known yet.
pub(crate) fn unconditional(upload: Upload) -> Link {
    Link {
        path: upload.path,
        intent: upload.intent,
        checksum: String::new(),
        size: 0,
        content_type: String::new(),
        metadata: BTreeMap::new(),
        if_absent: false,
        if_etag: None,
        if_generation: None,
    }
}

/// Links what was written, or takes it away again if it certainly was not linked.
async fn linked(caller: &Caller, on: &ObjectOn, link: Link, place: &Place) -> Result<Object, ApiError> {
    match caller.client.link_upload(&on.repository, &on.branch, link).await {
        Ok(object) => Ok(object),
        Err(error) => {
            if !error.may_have_happened() {
                place.discard().await;
            }
            Err(error.into())
        }
    }
}

/// Whether the path must be free. No other condition is known to this API.
pub(crate) fn if_absent(headers: &HeaderMap) -> Result<bool, ApiError> {
    if headers.contains_key(IF_MATCH) {
        return Err(ApiError::not_implemented());
    }
    match headers.get(IF_NONE_MATCH) {
        None => Ok(false),
        Some(value) if value == "*" => Ok(true),
        Some(_) => Err(ApiError::not_implemented()),
    }
}

fn user_metadata(headers: &HeaderMap) -> Result<BTreeMap<String, String>, ApiError> {
    let mut metadata = BTreeMap::new();
    for (name, value) in headers {
        let name = name.as_str();
        let key = match (name.strip_prefix(METADATA_HEADER), name.strip_prefix(INTERNAL_HEADER)) {
            (Some(key), _) => key.to_owned(),
            (None, Some(key)) => format!("{INTERNAL_KEY}{key}"),
            (None, None) => continue,
        };
        let text = std::str::from_utf8(value.as_bytes());
        let text = text.map_err(|_| ApiError::bad_request(format!("header '{name}' is not UTF-8")))?;
        metadata.insert(key, text.to_owned());
    }
    Ok(metadata)
}
