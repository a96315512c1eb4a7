//! Parts of uploads that are copied from other objects.

use axum::extract::{Extension, State};
use braid_objects::PartPlace;
use braid_types::{ObjectPath, RefExpression, RepositoryName};
use http::header::ETAG;
use http::{HeaderName, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::parts::{address, part_number};
use super::range;
use crate::data::Place;
use crate::rest::App;
use crate::rest::body::JsonBody;
use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::names::{ObjectOn, PathQuery};
use crate::rest::openapi::Writing;
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::stored::Stored;

#[derive(Deserialize, ToSchema)]
pub(crate) struct UploadPartCopyFrom {
    copy_source: Source,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = CopyPartSource)]
struct Source {
    repository: String,
    #[serde(rename = "ref")]
    reference: String,
    #[schema(min_length = 1)]
    path: String,
    #[serde(default)]
    range: Option<String>,
}

/// Write a part with the data of another object, or a range of it.
#[utoipa::path(
    put, path = "/repositories/{repository}/branches/{branch}/staging/pmpu/{upload}/parts/{part}/copy",
    operation_id = "uploadPartCopy",
    params(PathQuery), request_body = UploadPartCopyFrom,
    responses((status = 204, headers(("ETag" = String))), Writing),
)]
pub(crate) async fn copy(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments((repository, branch, upload, part)): Segments<(String, String, String, String)>,
    query: Query,
    JsonBody(asked): JsonBody<UploadPartCopyFrom>,
) -> Result<(StatusCode, [(HeaderName, String); 1]), ApiError> {
    let (on, number) = (ObjectOn::new((repository, branch), &query)?, part_number(&part)?);
    let path = on.path.clone();
    let under_way = caller.client.get_multipart_upload(address(on, upload)).await?;
    let to = Place::at(&*app.parts.stores, &under_way.physical_address)?;

    let Source { repository, reference, path: from, range } = asked.copy_source;
    let (repository, reference) = (RepositoryName::new(repository)?, RefExpression::parse(&reference)?);
    let object = caller.client.stat_object(&repository, &reference, &ObjectPath::existing(from)?).await?;
    let range = range.map(|range| within(&range, object.entry.size)).transpose()?;
    let part = PartPlace { key: &to.key, upload: &under_way.upload_id, number };
    let put = Stored::of(&*app.parts.stores, &object)?.copy_to_part(range, &to, part).await;
    let put = put.map_err(|error| error.about(path.as_str()))?;
    Ok((StatusCode::NO_CONTENT, [(ETAG, format!("\"{}\"", put.etag))]))
}

/// The bytes of a source of `size` bytes that a text names.
fn within(asked: &str, size: u64) -> Result<std::ops::Range<u64>, ApiError> {
    let range = range::parse(asked)
        .ok_or_else(|| ApiError::bad_request(format!("'{asked}' is not one range of bytes")))?;
    let outside = format!("the range '{asked}' is not in the source, which has {size} bytes");
    range.within(size).ok_or_else(|| ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, outside))
}
