//! Pull requests.

use axum::extract::Extension;
use axum::routing::{get, put};
use axum::{Json, Router};
use braid_client::{
    CreatePullRequest, ListPullRequests, MergePullRequest, MergeStrategy, PullRequestFilter,
    PullRequestStatus, UpdatePullRequest,
};
use braid_types::{BranchName, PullId, RepositoryName};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::ApiError;
use super::query::Query;
use super::route::Names;
use super::view::{Listed, PullView};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/repositories/{repository}/pulls", get(list).post(create))
        .route("/repositories/{repository}/pulls/{pull_request}", get(one).patch(update))
        .route("/repositories/{repository}/pulls/{pull_request}/merge", put(merge))
}

async fn list(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    query: Query,
) -> Result<Json<Listed<PullView>>, ApiError> {
    let request = ListPullRequests {
        repository,
        filter: filter(query.text("status")?.unwrap_or("all"))?,
        prefix: query.text("prefix")?.unwrap_or_default().to_owned(),
        after: query.text("after")?.map(str::to_owned),
        page_size: Some(query.amount()?),
        page_token: None,
    };
    let page = caller.client.list_pull_requests(request).await?;
    let pulls = page.items.into_iter().map(PullView::from).collect();
    Ok(Json(Listed::new(pulls, page.next_page_token.is_some(), |pull: &PullView| pull.id.clone())))
}

fn filter(status: &str) -> Result<PullRequestFilter, ApiError> {
    match status {
        "all" => Ok(PullRequestFilter::All),
        "open" => Ok(PullRequestFilter::Open),
        "closed" => Ok(PullRequestFilter::Closed),
        other => Err(ApiError::bad_request(format!(
            "query parameter 'status' is '{other}': it must be 'open', 'closed' or 'all'"
        ))),
    }
}

#[derive(Deserialize)]
struct Creation {
    title: String,
    #[serde(default)]
    description: Option<String>,
    source_branch: String,
    destination_branch: String,
}

async fn create(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<Creation>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let request = CreatePullRequest {
        repository,
        title: asked.title,
        description: asked.description.unwrap_or_default(),
        source: BranchName::new(asked.source_branch)?,
        destination: BranchName::new(asked.destination_branch)?,
    };
    let made = caller.client.create_pull_request(request).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": made.id.to_string() }))))
}

async fn one(
    Extension(caller): Extension<Caller>,
    Names((repository, id)): Names<(RepositoryName, PullId)>,
) -> Result<Json<PullView>, ApiError> {
    Ok(Json(caller.client.get_pull_request(&repository, id).await?.into()))
}

#[derive(Deserialize)]
struct Update {
    title: Option<String>,
    description: Option<String>,
    status: Option<String>,
}

async fn update(
    Extension(caller): Extension<Caller>,
    Names((repository, id)): Names<(RepositoryName, PullId)>,
    JsonBody(asked): JsonBody<Update>,
) -> Result<StatusCode, ApiError> {
    let status = asked.status.as_deref().map(status).transpose()?;
    let request =
        UpdatePullRequest { repository, id, title: asked.title, description: asked.description, status };
    caller.client.update_pull_request(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn status(name: &str) -> Result<PullRequestStatus, ApiError> {
    match name {
        "open" => Ok(PullRequestStatus::Open),
        "closed" => Ok(PullRequestStatus::Closed),
        other => Err(ApiError::bad_request(format!(
            "invalid pull request status '{other}': it must be 'open' or 'closed'"
        ))),
    }
}

/// A conflict is answered as an error, unlike that of a merge of refs.
async fn merge(
    Extension(caller): Extension<Caller>,
    Names((repository, id)): Names<(RepositoryName, PullId)>,
) -> Result<Json<Value>, ApiError> {
    let request = MergePullRequest {
        repository,
        id,
        strategy: MergeStrategy::Refuse,
        message: None,
        metadata: [].into(),
        squash: false,
    };
    let merged = caller.client.merge_pull_request(request).await?;
    let commit = merged.merged_commit_id.map(|id| id.to_hex()).unwrap_or_default();
    Ok(Json(json!({ "reference": commit })))
}
