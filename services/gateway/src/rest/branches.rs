//! Branches.

use axum::extract::Extension;
use axum::routing::{get, put};
use axum::{Json, Router};
use braid_client::{CreateBranch, ListBranches, ResetScope};
use braid_types::{BranchName, ObjectPath, PathPrefix, RefExpression, RepositoryName};
use http::StatusCode;
use serde::Deserialize;

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::ApiError;
use super::query::Query;
use super::route::Names;
use super::view::{Listed, RefView};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/repositories/{repository}/branches", get(list).post(create))
        .route("/repositories/{repository}/branches/{branch}", get(one).delete(delete).put(reset))
        .route("/repositories/{repository}/branches/{branch}/hard_reset", put(hard_reset))
}

async fn list(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    query: Query,
) -> Result<Json<Listed<RefView>>, ApiError> {
    let request = ListBranches {
        repository,
        prefix: query.text("prefix")?.unwrap_or_default().to_owned(),
        page_size: Some(query.amount()?),
        page_token: None,
        after: query.text("after")?.map(str::to_owned),
        include_hidden: query.flag("show_hidden")?,
    };
    let page = caller.client.list_branches(request).await?;
    let branches = page.items.into_iter().map(RefView::from).collect();
    Ok(Json(Listed::new(branches, page.next_page_token.is_some(), |branch: &RefView| branch.id.clone())))
}

#[derive(Deserialize)]
struct Creation {
    name: String,
    source: String,
    #[serde(default)]
    hidden: bool,
}

/// Answers with the commit's id as plain text.
async fn create(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<Creation>,
) -> Result<(StatusCode, String), ApiError> {
    let request = CreateBranch {
        repository,
        name: BranchName::new(asked.name)?,
        source: RefExpression::parse(&asked.source)?,
        hidden: asked.hidden,
    };
    let made = caller.client.create_branch(request).await?;
    Ok((StatusCode::CREATED, made.commit_id.to_hex()))
}

async fn one(
    Extension(caller): Extension<Caller>,
    Names((repository, branch)): Names<(RepositoryName, BranchName)>,
) -> Result<Json<RefView>, ApiError> {
    Ok(Json(caller.client.get_branch(&repository, &branch).await?.into()))
}

async fn delete(
    Extension(caller): Extension<Caller>,
    Names((repository, branch)): Names<(RepositoryName, BranchName)>,
) -> Result<StatusCode, ApiError> {
    caller.client.delete_branch(&repository, &branch).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Reset {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    path: String,
}

async fn reset(
    Extension(caller): Extension<Caller>,
    Names((repository, branch)): Names<(RepositoryName, BranchName)>,
    JsonBody(asked): JsonBody<Reset>,
) -> Result<StatusCode, ApiError> {
    let scope = match asked.kind.as_str() {
        "reset" => ResetScope::All,
        "object" => ResetScope::Path(ObjectPath::new(asked.path)?),
        "common_prefix" => ResetScope::Prefix(PathPrefix::new(asked.path)?),
        _ => return Err(ApiError::bad_request("unknown reset type")),
    };
    caller.client.reset_branch(&repository, &branch, scope).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn hard_reset(
    Extension(caller): Extension<Caller>,
    Names((repository, branch)): Names<(RepositoryName, BranchName)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let to = RefExpression::parse(query.required("ref")?)?;
    caller.client.hard_reset_branch(&repository, &branch, &to).await?;
    Ok(StatusCode::NO_CONTENT)
}
