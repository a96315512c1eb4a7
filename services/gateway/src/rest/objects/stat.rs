//! What is known of an object.

use axum::Json;
use axum::extract::Extension;
use braid_types::{ObjectPath, RefExpression, RepositoryName};

use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::rest::view::{ObjectStats, Shown};

/// `GET /repositories/{repository}/refs/{ref}/objects/stat`
pub(crate) async fn stat(
    Extension(caller): Extension<Caller>,
    Segments((repository, reference)): Segments<(String, String)>,
    query: Query,
) -> Result<Json<ObjectStats>, ApiError> {
    let path = ObjectPath::new(query.required("path")?)?;
    let (repository, reference) = (RepositoryName::new(repository)?, RefExpression::parse(&reference)?);
    let shown = Shown { metadata: query.flag_or("user_metadata", true)? };
    if !query.flag("presign")? {
        let object = caller.client.stat_object(&repository, &reference, &path).await?;
        return Ok(Json(ObjectStats::of(object, shown)));
    }
    let download = caller.client.get_download_url(&repository, &reference, &path).await?;
    Ok(Json(ObjectStats::of(download.object, shown).presigned(download.url, download.expires_at)))
}
