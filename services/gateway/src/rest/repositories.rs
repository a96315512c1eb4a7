//! Repositories.

use axum::Json;
use axum::extract::{Extension, State};
use braid_client::{CreateRepository, ListRepositories, Repository};
use braid_types::{BranchName, RepositoryName};
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
use super::samples;
use super::view::{Listed, RepositoryList, RepositoryView};

/// How namespaces of the local store are written by those who know lakeFS's.
const LOCAL_SCHEME: &str = "local://";

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(one, delete))
}

/// Repositories by name.
#[utoipa::path(
    get, path = "/repositories", operation_id = "listRepositories",
    params(PageQuery, ("search" = Option<String>, Query)),
    responses((status = 200, body = RepositoryList), Reading),
)]
async fn list(Extension(caller): Extension<Caller>, query: Query) -> Result<Json<RepositoryList>, ApiError> {
    let PageQuery { prefix, after, amount } = query.page()?;
    let search = query.text("search")?.unwrap_or_default();
    let mut found: Vec<Repository> = Vec::new();
    let mut request = ListRepositories {
        prefix,
        page_size: if search.is_empty() { Some(amount + 1) } else { None },
        page_token: None,
        after,
    };
    let wanted = amount as usize + 1;
    loop {
        let page = caller.client.list_repositories(request.clone()).await?;
        found.extend(page.items.into_iter().filter(|item| item.name.as_str().contains(search)));
        request.page_token = page.next_page_token;
        if found.len() >= wanted || request.page_token.is_none() {
            break;
        }
    }
    let more = found.len() >= wanted;
    found.truncate(amount as usize);
    let found = found.into_iter().map(RepositoryView::from).collect();
    Ok(Json(Listed::new(found, more, |repository: &RepositoryView| repository.id.clone())))
}

#[derive(Deserialize, ToSchema)]
struct RepositoryCreation {
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{2,62}$")]
    name: String,
    #[schema(min_length = 1)]
    storage_namespace: String,
    default_branch: Option<String>,
    #[serde(default)]
    sample_data: bool,
    #[serde(default)]
    read_only: bool,
}

/// Make a repository.
#[utoipa::path(
    post, path = "/repositories", operation_id = "createRepository",
    params(("bare" = Option<bool>, Query)), request_body = RepositoryCreation,
    responses((status = 201, body = RepositoryView), (status = 400), (status = 409), (status = 501)),
)]
async fn create(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    JsonBody(asked): JsonBody<RepositoryCreation>,
) -> Result<(StatusCode, Json<RepositoryView>), ApiError> {
    let default_branch = asked.default_branch.filter(|name| !name.is_empty());
    let create = CreateRepository {
        name: RepositoryName::new(asked.name)?,
        storage_namespace: Some(app.settings.storage_namespace(&asked.storage_namespace)?),
        default_branch: default_branch.map(BranchName::new).transpose()?,
    };
    let mut made = caller.client.create_repository(create).await?;
    if asked.sample_data {
        samples::fill(&app, &caller, &made).await?;
    }
    if asked.read_only {
        made = caller.client.set_read_only(&made.name, true).await?;
    }
    Ok((StatusCode::CREATED, Json(made.into())))
}

impl crate::gateway::Settings {
    /// A namespace as it was asked for; where the store is local, also in lakeFS's words for one.
    fn storage_namespace(&self, asked: &str) -> Result<String, ApiError> {
        if asked.is_empty() {
            return Err(ApiError::bad_request("the field 'storage_namespace' is required"));
        }
        Ok(self.address(asked))
    }

    /// An address as it was asked for; where the store is local, also in lakeFS's words for one.
    pub(crate) fn address(&self, asked: &str) -> String {
        match asked.strip_prefix(LOCAL_SCHEME) {
            Some(rest) if self.is_local() => format!("{}{rest}", self.default_storage_prefix),
            _ => asked.to_owned(),
        }
    }
}

/// One repository.
#[utoipa::path(
    get, path = "/repositories/{repository}", operation_id = "getRepository",
    responses((status = 200, body = RepositoryView), Reading),
)]
async fn one(
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
) -> Result<Json<RepositoryView>, ApiError> {
    let repository = RepositoryName::new(repository)?;
    Ok(Json(caller.client.get_repository(&repository).await?.into()))
}

/// Delete a repository; its data stays.
#[utoipa::path(
    delete, path = "/repositories/{repository}", operation_id = "deleteRepository",
    params(("force" = Option<bool>, Query)), responses((status = 204), Writing),
)]
async fn delete(
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let repository = RepositoryName::new(repository)?;
    if !query.flag("force")? && caller.client.get_repository(&repository).await?.read_only {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "read-only repository"));
    }
    caller.client.delete_repository(&repository).await?;
    Ok(StatusCode::NO_CONTENT)
}
