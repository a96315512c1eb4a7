//! Tags.

use axum::Json;
use axum::extract::Extension;
use braid_client::{CreateTag, ListTags};
use braid_types::{RefExpression, RepositoryName, TagName};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::ApiError;
use super::openapi::{Reading, Writing};
use super::query::{PageQuery, Query};
use super::route::Segments;
use super::view::{Listed, RefList, RefView};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(one, delete))
}

/// Tags by name.
#[utoipa::path(
    get, path = "/repositories/{repository}/tags", operation_id = "listTags",
    params(PageQuery), responses((status = 200, body = RefList), Reading),
)]
async fn list(
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
    query: Query,
) -> Result<Json<RefList>, ApiError> {
    let repository = RepositoryName::new(repository)?;
    let PageQuery { prefix, after, amount } = query.page()?;
    let request = ListTags { repository, prefix, page_size: Some(amount), page_token: None, after };
    let page = caller.client.list_tags(request).await?;
    let tags = page.items.into_iter().map(RefView::from).collect();
    Ok(Json(Listed::new(tags, page.next_page_token.is_some(), |tag: &RefView| tag.id.clone())))
}

#[derive(Deserialize, ToSchema)]
struct TagCreation {
    id: String,
    #[serde(rename = "ref")]
    reference: String,
}

/// Make a tag.
#[utoipa::path(
    post, path = "/repositories/{repository}/tags", operation_id = "createTag",
    request_body = TagCreation, responses((status = 201, body = RefView), Writing, (status = 409)),
)]
async fn create(
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
    JsonBody(asked): JsonBody<TagCreation>,
) -> Result<(StatusCode, Json<RefView>), ApiError> {
    let request = CreateTag {
        repository: RepositoryName::new(repository)?,
        name: TagName::new(asked.id)?,
        reference: RefExpression::parse(&asked.reference)?,
    };
    Ok((StatusCode::CREATED, Json(caller.client.create_tag(request).await?.into())))
}

/// One tag.
#[utoipa::path(
    get, path = "/repositories/{repository}/tags/{tag}", operation_id = "getTag",
    responses((status = 200, body = RefView), Reading),
)]
async fn one(
    Extension(caller): Extension<Caller>,
    Segments((repository, tag)): Segments<(String, String)>,
) -> Result<Json<RefView>, ApiError> {
    let (repository, tag) = (RepositoryName::new(repository)?, TagName::new(tag)?);
    Ok(Json(caller.client.get_tag(&repository, &tag).await?.into()))
}

/// Delete a tag.
#[utoipa::path(
    delete, path = "/repositories/{repository}/tags/{tag}", operation_id = "deleteTag",
    responses((status = 204), Writing),
)]
async fn delete(
    Extension(caller): Extension<Caller>,
    Segments((repository, tag)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (repository, tag) = (RepositoryName::new(repository)?, TagName::new(tag)?);
    caller.client.delete_tag(&repository, &tag).await?;
    Ok(StatusCode::NO_CONTENT)
}
