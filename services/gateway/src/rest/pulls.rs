//! Pull requests.

use axum::Json;
use axum::extract::Extension;
use braid_client::{
    CreatePullRequest, ListPullRequests, MergePullRequest, MergeStrategy, PullRequestFilter,
    PullRequestStatus, UpdatePullRequest,
};
use braid_types::{BranchName, PullId, RepositoryName};
use http::StatusCode;
use serde::{Deserialize, Serialize};
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
use super::view::{Listed, MergeResult, PullList, PullView};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(one, update)).routes(routes!(merge))
}

/// Pull requests, the newest first.
#[utoipa::path(
    get, path = "/repositories/{repository}/pulls", operation_id = "listPullRequests",
    params(PageQuery, ("status" = inline(Option<Shown>), Query)),
    responses((status = 200, body = PullList), Reading),
)]
async fn list(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    query: Query,
) -> Result<Json<PullList>, ApiError> {
    let PageQuery { prefix, after, amount } = query.page()?;
    let filter = query.word::<Shown>("status")?.unwrap_or_default().into();
    let request =
        ListPullRequests { repository, filter, prefix, after, page_size: Some(amount), page_token: None };
    let page = caller.client.list_pull_requests(request).await?;
    let pulls = page.items.into_iter().map(PullView::from).collect();
    Ok(Json(Listed::new(pulls, page.next_page_token.is_some(), |pull: &PullView| pull.id.clone())))
}

/// Which pull requests are listed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Shown {
    Open,
    Closed,
    #[default]
    All,
}

impl From<Shown> for PullRequestFilter {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Open => Self::Open,
            Shown::Closed => Self::Closed,
            Shown::All => Self::All,
        }
    }
}

#[derive(Deserialize, ToSchema)]
struct PullRequestCreation {
    title: String,
    #[serde(default)]
    description: Option<String>,
    source_branch: String,
    destination_branch: String,
}

#[derive(Serialize, ToSchema)]
struct PullRequestCreationResponse {
    id: String,
}

/// Propose that a branch be merged into another.
#[utoipa::path(
    post, path = "/repositories/{repository}/pulls", operation_id = "createPullRequest",
    request_body = PullRequestCreation,
    responses((status = 201, body = PullRequestCreationResponse), Writing),
)]
async fn create(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<PullRequestCreation>,
) -> Result<(StatusCode, Json<PullRequestCreationResponse>), ApiError> {
    let request = CreatePullRequest {
        repository,
        title: asked.title,
        description: asked.description.unwrap_or_default(),
        source: BranchName::new(asked.source_branch)?,
        destination: BranchName::new(asked.destination_branch)?,
    };
    let made = caller.client.create_pull_request(request).await?;
    Ok((StatusCode::CREATED, Json(PullRequestCreationResponse { id: made.id.to_string() })))
}

/// One pull request.
#[utoipa::path(
    get, path = "/repositories/{repository}/pulls/{pull_request}", operation_id = "getPullRequest",
    responses((status = 200, body = PullView), Reading),
)]
async fn one(
    Extension(caller): Extension<Caller>,
    Names((repository, id)): Names<(RepositoryName, PullId)>,
) -> Result<Json<PullView>, ApiError> {
    Ok(Json(caller.client.get_pull_request(&repository, id).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PullRequestBasic)]
struct Update {
    title: Option<String>,
    description: Option<String>,
    status: Option<NewStatus>,
}

/// What the status of a pull request may be set to.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum NewStatus {
    Open,
    Closed,
}

impl From<NewStatus> for PullRequestStatus {
    fn from(status: NewStatus) -> Self {
        match status {
            NewStatus::Open => Self::Open,
            NewStatus::Closed => Self::Closed,
        }
    }
}

/// Change what is said of a pull request, close it or open it again.
#[utoipa::path(
    patch, path = "/repositories/{repository}/pulls/{pull_request}", operation_id = "updatePullRequest",
    request_body = Update, responses((status = 204), Writing),
)]
async fn update(
    Extension(caller): Extension<Caller>,
    Names((repository, id)): Names<(RepositoryName, PullId)>,
    JsonBody(asked): JsonBody<Update>,
) -> Result<StatusCode, ApiError> {
    let status = asked.status.map(Into::into);
    let request =
        UpdatePullRequest { repository, id, title: asked.title, description: asked.description, status };
    caller.client.update_pull_request(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Merge a pull request.
///
/// A conflict is answered as an error, unlike that of a merge of refs.
#[utoipa::path(
    put, path = "/repositories/{repository}/pulls/{pull_request}/merge", operation_id = "mergePullRequest",
    responses((status = 200, body = MergeResult), Writing, (status = 409)),
)]
async fn merge(
    Extension(caller): Extension<Caller>,
    Names((repository, id)): Names<(RepositoryName, PullId)>,
) -> Result<Json<MergeResult>, ApiError> {
    let request = MergePullRequest {
        repository,
        id,
        strategy: MergeStrategy::Refuse,
        message: None,
        metadata: [].into(),
        squash: false,
    };
    let merged = caller.client.merge_pull_request(request).await?;
    let reference = merged.merged_commit_id.map(|id| id.to_hex()).unwrap_or_default();
    Ok(Json(MergeResult { reference }))
}
