//! Committing, and history.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Extension;
use braid_client::{CommitBranch, CommitTree, Log};
use braid_types::{CommitId, ObjectPath, PathPrefix, Time};
use futures::{StreamExt, TryStreamExt};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::ApiError;
use super::names::{branch_on, ref_at};
use super::openapi::{Reading, Writing};
use super::query::Query;
use super::route::Segments;
use super::view::{CommitList, CommitView, Listed};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(commit)).routes(routes!(one)).routes(routes!(log))
}

#[derive(Deserialize, ToSchema)]
struct CommitCreation {
    message: String,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
    date: Option<i64>,
    #[serde(default)]
    allow_empty: bool,
}

/// Commit a branch's changes.
#[utoipa::path(
    post, path = "/repositories/{repository}/branches/{branch}/commits", operation_id = "commit",
    params(("source_metarange" = Option<String>, Query)), request_body = CommitCreation,
    responses((status = 201, body = CommitView), Writing, (status = 409)),
)]
async fn commit(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
    JsonBody(asked): JsonBody<CommitCreation>,
) -> Result<(StatusCode, Json<CommitView>), ApiError> {
    let (repository, branch) = branch_on(segments)?;
    let (message, date) = (asked.message, asked.date.map(Time::from_seconds));
    let (metadata, allow_empty) = (asked.metadata.unwrap_or_default(), asked.allow_empty);
    let made = match query.parsed("source_metarange")? {
        Some(metarange_id) => {
            let request = CommitTree { repository, branch, metarange_id, message, metadata, date };
            caller.client.commit_tree(request).await?
        }
        None => {
            let request = CommitBranch { repository, branch, message, metadata, allow_empty, date };
            caller.client.commit(request).await?
        }
    };
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// The commit that any ref names.
#[utoipa::path(
    get, path = "/repositories/{repository}/commits/{commit}", operation_id = "getCommit",
    responses((status = 200, body = CommitView), Reading),
)]
async fn one(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
) -> Result<Json<CommitView>, ApiError> {
    let (repository, reference) = ref_at(segments)?;
    Ok(Json(caller.client.get_commit(&repository, &reference).await?.into()))
}

/// History, newest first.
#[utoipa::path(
    get, path = "/repositories/{repository}/refs/{ref}/commits", operation_id = "logCommits",
    params(
        ("after" = Option<String>, Query), ("amount" = Option<i32>, Query, minimum = -1, maximum = 1000),
        ("objects" = Option<Vec<String>>, Query), ("prefixes" = Option<Vec<String>>, Query),
        ("limit" = Option<bool>, Query), ("first_parent" = Option<bool>, Query),
        ("since" = Option<String>, Query, format = DateTime), ("stop_at" = Option<String>, Query),
    ),
    responses((status = 200, body = CommitList), Reading),
)]
async fn log(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<Json<CommitList>, ApiError> {
    let (repository, reference) = ref_at(segments)?;
    let amount = query.amount()?;
    let request = Log {
        repository,
        reference,
        limit: Some(amount + 1),
        first_parent: query.flag("first_parent")?,
        since: query.text("since")?.map(time).transpose()?,
        stop_at: query.text("stop_at")?.map(str::parse).transpose()?,
        after: query.text("after")?.map(commit_id).transpose()?,
        paths: query.all("objects")?.into_iter().map(ObjectPath::new).collect::<Result<_, _>>()?,
        prefixes: query.all("prefixes")?.into_iter().map(PathPrefix::new).collect::<Result<_, _>>()?,
    };
    // `limit` asks to scan no further than needed, which is never done here.
    query.flag("limit")?;
    let found: Vec<_> = caller.client.log(request).take(amount as usize + 1).try_collect().await?;
    let more = found.len() > amount as usize;
    let shown = found.into_iter().take(amount as usize).map(CommitView::from).collect();
    Ok(Json(Listed::new(shown, more, |commit: &CommitView| commit.id.clone())))
}

fn time(text: &str) -> Result<Time, ApiError> {
    let malformed = || ApiError::bad_request(format!("query parameter 'since' is '{text}', not a time"));
    Time::parse_rfc3339(text).ok_or_else(malformed)
}

fn commit_id(text: &str) -> Result<CommitId, ApiError> {
    text.parse()
        .map_err(|_| ApiError::bad_request(format!("query parameter 'after' is '{text}', not a commit's id")))
}
