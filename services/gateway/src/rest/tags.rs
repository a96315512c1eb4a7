//! Tags.

use axum::extract::Extension;
use axum::routing::get;
use axum::{Json, Router};
use braid_client::{CreateTag, ListTags};
use braid_types::{RefExpression, RepositoryName, TagName};
use http::StatusCode;
use serde::Deserialize;

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::ApiError;
use super::query::Query;
use super::route::Segments;
use super::view::{Listed, RefView};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/repositories/{repository}/tags", get(list).post(create))
        .route("/repositories/{repository}/tags/{tag}", get(one).delete(delete))
}

async fn list(
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
    query: Query,
) -> Result<Json<Listed<RefView>>, ApiError> {
    let request = ListTags {
        repository: RepositoryName::new(repository)?,
        prefix: query.text("prefix")?.unwrap_or_default().to_owned(),
        page_size: Some(query.amount()?),
        page_token: None,
        after: query.text("after")?.map(str::to_owned),
    };
    let page = caller.client.list_tags(request).await?;
    let tags = page.items.into_iter().map(RefView::from).collect();
    Ok(Json(Listed::new(tags, page.next_page_token.is_some(), |tag: &RefView| tag.id.clone())))
}

#[derive(Deserialize)]
struct Creation {
    id: String,
    #[serde(rename = "ref")]
    reference: String,
}

async fn create(
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
    JsonBody(asked): JsonBody<Creation>,
) -> Result<(StatusCode, Json<RefView>), ApiError> {
    let request = CreateTag {
        repository: RepositoryName::new(repository)?,
        name: TagName::new(asked.id)?,
        reference: RefExpression::parse(&asked.reference)?,
    };
    Ok((StatusCode::CREATED, Json(caller.client.create_tag(request).await?.into())))
}

async fn one(
    Extension(caller): Extension<Caller>,
    Segments((repository, tag)): Segments<(String, String)>,
) -> Result<Json<RefView>, ApiError> {
    let (repository, tag) = (RepositoryName::new(repository)?, TagName::new(tag)?);
    Ok(Json(caller.client.get_tag(&repository, &tag).await?.into()))
}

async fn delete(
    Extension(caller): Extension<Caller>,
    Segments((repository, tag)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (repository, tag) = (RepositoryName::new(repository)?, TagName::new(tag)?);
    caller.client.delete_tag(&repository, &tag).await?;
    Ok(StatusCode::NO_CONTENT)
}
