//! Repositories.

use axum::extract::{Extension, State};
use axum::routing::get;
use axum::{Json, Router};
use braid_client::{CreateRepository, ListRepositories, Repository};
use braid_types::{BranchName, RepositoryName};
use http::StatusCode;
use serde::Deserialize;

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::ApiError;
use super::query::Query;
use super::route::Segments;
use super::samples;
use super::view::{Listed, RepositoryView};

/// How namespaces of the local store are written by those who know lakeFS's.
const LOCAL_SCHEME: &str = "local://";

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/repositories", get(list).post(create))
        .route("/repositories/{repository}", get(one).delete(delete))
}

async fn list(
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Listed<RepositoryView>>, ApiError> {
    let amount = query.amount()?;
    let search = query.text("search")?.unwrap_or_default();
    let mut found: Vec<Repository> = Vec::new();
    let mut request = ListRepositories {
        prefix: query.text("prefix")?.unwrap_or_default().to_owned(),
        page_size: if search.is_empty() { Some(amount + 1) } else { None },
        page_token: None,
        after: query.text("after")?.map(str::to_owned),
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

#[derive(Deserialize)]
struct Creation {
    name: String,
    storage_namespace: String,
    default_branch: Option<String>,
    #[serde(default)]
    sample_data: bool,
    #[serde(default)]
    read_only: bool,
}

async fn create(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    JsonBody(asked): JsonBody<Creation>,
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

async fn one(
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
) -> Result<Json<RepositoryView>, ApiError> {
    let repository = RepositoryName::new(repository)?;
    Ok(Json(caller.client.get_repository(&repository).await?.into()))
}

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
