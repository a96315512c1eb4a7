//! Merging, and doing or undoing single commits again.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use braid_client::{CherryPick, Merge, MergeStrategy, Revert};
use braid_types::{BranchName, Code, Error, RefExpression, RepositoryName};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::body::{self, JsonBody};
use super::caller::Caller;
use super::error::ApiError;
use super::names::branch_on;
use super::openapi::{Reading, Writing};
use super::route::Segments;
use super::view::{CommitView, MergeResult};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(base, merge)).routes(routes!(revert)).routes(routes!(cherry_pick))
}

#[derive(Deserialize, Default, ToSchema)]
#[schema(as = Merge)]
struct Merging {
    message: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    #[schema(schema_with = strategies)]
    strategy: Option<String>,
    #[serde(default)]
    allow_empty: bool,
    #[serde(default)]
    squash_merge: bool,
}

/// Merge a ref into a branch.
#[utoipa::path(
    post, path = "/repositories/{repository}/refs/{source}/merge/{destination}",
    operation_id = "mergeIntoBranch",
    request_body = Option<Merging>,
    responses(
        (status = 200, body = MergeResult), Writing,
        (status = 409, description = "Paths conflict", body = MergeResult),
    ),
)]
async fn merge(
    Extension(caller): Extension<Caller>,
    Segments((repository, source, destination)): Segments<(String, String, String)>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let asked: Merging = body::optional(&body)?;
    let request = Merge {
        repository: RepositoryName::new(repository)?,
        source: RefExpression::parse(&source)?,
        destination: BranchName::new(destination)?,
        strategy: strategy(asked.strategy.as_deref().unwrap_or_default())?,
        message: asked.message.filter(|message| !message.is_empty()),
        metadata: asked.metadata.unwrap_or_default(),
        squash: asked.squash_merge,
        allow_empty: asked.allow_empty,
    };
    match caller.client.merge(request).await {
        Ok(commit) => Ok(Json(MergeResult { reference: commit.id.to_hex() }).into_response()),
        Err(error) => refused(error),
    }
}

/// A conflict is answered in the shape of a result.
fn refused(error: Error) -> Result<Response, ApiError> {
    if error.code() == Code::MergeConflict {
        return Ok((StatusCode::CONFLICT, Json(MergeResult { reference: String::new() })).into_response());
    }
    Err(error.into())
}

fn strategies() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["", "source-wins", "dest-wins"])).build()
}

fn strategy(name: &str) -> Result<MergeStrategy, ApiError> {
    match name {
        "" => Ok(MergeStrategy::Refuse),
        "source-wins" => Ok(MergeStrategy::SourceWins),
        "dest-wins" => Ok(MergeStrategy::DestinationWins),
        other => Err(ApiError::bad_request(format!(
            "strategy '{other}' is not known: it must be 'source-wins' or 'dest-wins'"
        ))),
    }
}

#[derive(Serialize, ToSchema)]
struct FindMergeBaseResult {
    source_commit_id: String,
    destination_commit_id: String,
    base_commit_id: String,
}

/// A best common ancestor.
#[utoipa::path(
    get, path = "/repositories/{repository}/refs/{source}/merge/{destination}",
    operation_id = "findMergeBase",
    responses((status = 200, body = FindMergeBaseResult), Reading),
)]
async fn base(
    Extension(caller): Extension<Caller>,
    Segments((repository, source, destination)): Segments<(String, String, String)>,
) -> Result<Json<FindMergeBaseResult>, ApiError> {
    let repository = RepositoryName::new(repository)?;
    let (source, destination) = (RefExpression::parse(&source)?, RefExpression::parse(&destination)?);
    let found = caller.client.find_merge_base(&repository, &source, &destination).await?;
    Ok(Json(FindMergeBaseResult {
        source_commit_id: found.left_commit_id.to_hex(),
        destination_commit_id: found.right_commit_id.to_hex(),
        base_commit_id: found.base_commit_id.to_hex(),
    }))
}

#[derive(Deserialize, Default, ToSchema)]
#[schema(as = CommitOverrides)]
struct Overrides {
    message: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, ToSchema)]
struct CherryPickCreation {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    parent_number: Option<i64>,
    #[serde(default)]
    commit_overrides: Option<Overrides>,
}

#[derive(Deserialize, ToSchema)]
struct RevertCreation {
    #[serde(flatten)]
    picked: CherryPickCreation,
    #[serde(default)]
    allow_empty: bool,
}

impl CherryPickCreation {
    /// The parent to compare with; 0 is none.
    fn parent(&self) -> Result<Option<u32>, ApiError> {
        let number = self.parent_number.unwrap_or_default();
        let out_of_range =
            || ApiError::bad_request(format!("parent number {number} is out of range: parents count from 1"));
        Ok(Some(u32::try_from(number).map_err(|_| out_of_range())?).filter(|number| *number > 0))
    }
}

/// Undo a commit in a new one.
#[utoipa::path(
    post, path = "/repositories/{repository}/branches/{branch}/revert", operation_id = "revertBranch",
    request_body = RevertCreation, responses((status = 204), Writing, (status = 409)),
)]
async fn revert(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    JsonBody(RevertCreation { picked: asked, allow_empty }): JsonBody<RevertCreation>,
) -> Result<StatusCode, ApiError> {
    let (repository, branch) = branch_on(segments)?;
    let parent_number = asked.parent()?;
    let overrides = asked.commit_overrides.unwrap_or_default();
    let request = Revert {
        repository,
        branch,
        parent_number,
        reference: RefExpression::parse(&asked.reference)?,
        allow_empty,
        message: overrides.message.filter(|message| !message.is_empty()),
        metadata: overrides.metadata.unwrap_or_default(),
    };
    caller.client.revert(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Do a commit again in a new one.
#[utoipa::path(
    post, path = "/repositories/{repository}/branches/{branch}/cherry-pick", operation_id = "cherryPick",
    request_body = CherryPickCreation,
    responses((status = 201, body = CommitView), Writing, (status = 409)),
)]
async fn cherry_pick(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    JsonBody(asked): JsonBody<CherryPickCreation>,
) -> Result<(StatusCode, Json<CommitView>), ApiError> {
    let (repository, branch) = branch_on(segments)?;
    let parent_number = asked.parent()?;
    let overrides = asked.commit_overrides.unwrap_or_default();
    let request = CherryPick {
        repository,
        branch,
        parent_number,
        reference: RefExpression::parse(&asked.reference)?,
        message: overrides.message.filter(|message| !message.is_empty()),
        metadata: overrides.metadata.unwrap_or_default(),
    };
    let picked = caller.client.cherry_pick(request).await.map_err(|error| match error.code() {
        Code::ParentRequired => ApiError::bad_request(error.message()),
        _ => error.into(),
    })?;
    Ok((StatusCode::CREATED, Json(picked.into())))
}
