//! Branches.

use axum::Json;
use axum::extract::Extension;
use braid_client::{CreateBranch, ListBranches, ResetScope};
use braid_types::{BranchName, ObjectPath, PathPrefix, RefExpression, RepositoryName};
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
use super::route::Names;
use super::view::{Listed, RefList, RefView};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(one, delete, reset))
        .routes(routes!(hard_reset))
}

/// Branches by name.
#[utoipa::path(
    get, path = "/repositories/{repository}/branches", operation_id = "listBranches",
    params(PageQuery, ("show_hidden" = Option<bool>, Query)),
    responses((status = 200, body = RefList), Reading),
)]
async fn list(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    query: Query,
) -> Result<Json<RefList>, ApiError> {
    let PageQuery { prefix, after, amount } = query.page()?;
    let request = ListBranches {
        repository,
        prefix,
        page_size: Some(amount),
        page_token: None,
        after,
        include_hidden: query.flag("show_hidden")?,
    };
    let page = caller.client.list_branches(request).await?;
    let branches = page.items.into_iter().map(RefView::from).collect();
    Ok(Json(Listed::new(branches, page.next_page_token.is_some(), |branch: &RefView| branch.id.clone())))
}

#[derive(Deserialize, ToSchema)]
struct BranchCreation {
    name: String,
    source: String,
    #[serde(default)]
    hidden: bool,
}

/// Make a branch; answers with its commit's id.
#[utoipa::path(
    post, path = "/repositories/{repository}/branches", operation_id = "createBranch",
    request_body = BranchCreation, responses((status = 201, body = String), Writing, (status = 409)),
)]
async fn create(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<BranchCreation>,
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

/// One branch.
#[utoipa::path(
    get, path = "/repositories/{repository}/branches/{branch}", operation_id = "getBranch",
    responses((status = 200, body = RefView), Reading),
)]
async fn one(
    Extension(caller): Extension<Caller>,
    Names((repository, branch)): Names<(RepositoryName, BranchName)>,
) -> Result<Json<RefView>, ApiError> {
    Ok(Json(caller.client.get_branch(&repository, &branch).await?.into()))
}

/// Delete a branch.
#[utoipa::path(
    delete, path = "/repositories/{repository}/branches/{branch}", operation_id = "deleteBranch",
    params(("force" = Option<bool>, Query)), responses((status = 204), Writing),
)]
async fn delete(
    Extension(caller): Extension<Caller>,
    Names((repository, branch)): Names<(RepositoryName, BranchName)>,
) -> Result<StatusCode, ApiError> {
    caller.client.delete_branch(&repository, &branch).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
struct ResetCreation {
    #[serde(rename = "type")]
    kind: ResetKind,
    #[serde(default)]
    path: String,
}

/// What is dropped: everything, an object, or what begins with a prefix.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ResetKind {
    Reset,
    Object,
    CommonPrefix,
}

/// Drop uncommitted changes.
#[utoipa::path(
    put, path = "/repositories/{repository}/branches/{branch}", operation_id = "resetBranch",
    request_body = ResetCreation, responses((status = 204), Writing),
)]
async fn reset(
    Extension(caller): Extension<Caller>,
    Names((repository, branch)): Names<(RepositoryName, BranchName)>,
    JsonBody(asked): JsonBody<ResetCreation>,
) -> Result<StatusCode, ApiError> {
    let scope = match asked.kind {
        ResetKind::Reset => ResetScope::All,
        ResetKind::Object => ResetScope::Path(ObjectPath::new(asked.path)?),
        ResetKind::CommonPrefix => ResetScope::Prefix(PathPrefix::new(asked.path)?),
    };
    caller.client.reset_branch(&repository, &branch, scope).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Move a branch to a commit.
#[utoipa::path(
    put, path = "/repositories/{repository}/branches/{branch}/hard_reset", operation_id = "hardResetBranch",
    params(("ref" = String, Query), ("force" = Option<bool>, Query)), responses((status = 204), Writing),
)]
async fn hard_reset(
    Extension(caller): Extension<Caller>,
    Names((repository, branch)): Names<(RepositoryName, BranchName)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let to = RefExpression::parse(query.required("ref")?)?;
    caller.client.hard_reset_branch(&repository, &branch, &to).await?;
    Ok(StatusCode::NO_CONTENT)
}
