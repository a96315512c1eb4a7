//! Dumps of references, and restoring them.
//!
//! lakeFS does these in the background and lets clients ask how they go. Here the work is done before the first answer, and
//! the id of the task holds what came of it: any gateway can say so, and none has to remember it.

use axum::Json;
use axum::extract::{Extension, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use braid_client::{DumpEvent, RefsManifest, RestoreEvent, RestoreRefs};
use braid_types::{Error, MetarangeId, RepositoryName, Time};
use futures::TryStreamExt;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::{ApiError, Message};
use super::openapi::{Reading, Writing, again};
use super::query::Query;
use super::route::Segments;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(dump_now))
        .routes(routes!(restore_now))
        .routes(routes!(dump, status))
        .routes(routes!(restore))
        .routes(again(
            "/repositories/{repository}/restore",
            &[("dumpStatus", "restoreStatus")],
            routes!(status),
        ))
}

/// The trees of a dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RefsDump)]
struct Refs {
    commits_meta_range_id: String,
    tags_meta_range_id: String,
    branches_meta_range_id: String,
}

impl From<RefsManifest> for Refs {
    fn from(manifest: RefsManifest) -> Self {
        Self {
            commits_meta_range_id: manifest.commits_meta_range_id.to_hex(),
            tags_meta_range_id: manifest.tags_meta_range_id.to_hex(),
            branches_meta_range_id: manifest.branches_meta_range_id.to_hex(),
        }
    }
}

impl Refs {
    fn manifest(&self) -> Result<RefsManifest, ApiError> {
        let id = |text: &str| -> Result<MetarangeId, Error> { text.parse() };
        Ok(RefsManifest {
            commits_meta_range_id: id(&self.commits_meta_range_id)?,
            branches_meta_range_id: id(&self.branches_meta_range_id)?,
            tags_meta_range_id: id(&self.tags_meta_range_id)?,
        })
    }
}

/// What came of a task: the content of its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refs: Option<Refs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Done {
    fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("a struct of texts is JSON"))
    }

    fn parse(id: &str) -> Result<Self, ApiError> {
        let not_found = || ApiError::new(StatusCode::NOT_FOUND, format!("task '{id}' not found"));
        let bytes = URL_SAFE_NO_PAD.decode(id).map_err(|_| not_found())?;
        serde_json::from_slice(&bytes).map_err(|_| not_found())
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = TaskCreation)]
struct Task {
    id: String,
}

#[derive(Serialize, ToSchema)]
struct TaskStatus {
    id: String,
    done: bool,
    update_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refs: Option<Refs>,
}

/// Dump the references beside the trees.
#[utoipa::path(
    put, path = "/repositories/{repository}/refs/dump", operation_id = "dumpRefs",
    responses((status = 201, body = Refs), Reading),
)]
async fn dump_now(
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
) -> Result<(StatusCode, Json<Refs>), ApiError> {
    let refs = dumped(&caller, &RepositoryName::new(repository)?).await?;
    Ok((StatusCode::CREATED, Json(refs)))
}

/// Dump the references; answered when it is done.
#[utoipa::path(
    post, path = "/repositories/{repository}/dump", operation_id = "dumpSubmit",
    responses((status = 202, body = Task), Reading),
)]
async fn dump(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
) -> Result<(StatusCode, Json<Task>), ApiError> {
    let repository = RepositoryName::new(repository)?;
    caller.client.get_repository(&repository).await?;
    let ended = dumped(&caller, &repository).await;
    Ok(submitted(&app, ended.map(Some)))
}

async fn dumped(caller: &Caller, repository: &RepositoryName) -> Result<Refs, ApiError> {
    let mut events = caller.client.dump_refs(repository);
    while let Some(event) = events.try_next().await? {
        if let DumpEvent::Done(dumped) = event {
            return Ok(dumped.manifest.into());
        }
    }
    Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "the dump ended without a word"))
}

/// Restore references from a dump.
#[utoipa::path(
    put, path = "/repositories/{repository}/refs/restore", operation_id = "restoreRefs",
    request_body = Refs, responses((status = 200), Writing, (status = 409)),
)]
async fn restore_now(
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
    JsonBody(refs): JsonBody<Refs>,
) -> Result<StatusCode, ApiError> {
    restored(&caller, RepositoryName::new(repository)?, refs.manifest()?).await?;
    Ok(StatusCode::OK)
}

/// Restore references; answered when it is done.
#[utoipa::path(
    post, path = "/repositories/{repository}/restore", operation_id = "restoreSubmit",
    request_body = Refs, responses((status = 202, body = Task), Writing),
)]
async fn restore(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
    JsonBody(refs): JsonBody<Refs>,
) -> Result<(StatusCode, Json<Task>), ApiError> {
    let (repository, manifest) = (RepositoryName::new(repository)?, refs.manifest()?);
    caller.client.get_repository(&repository).await?;
    let ended = restored(&caller, repository, manifest).await;
    Ok(submitted(&app, ended.map(|()| None)))
}

async fn restored(
    caller: &Caller,
    repository: RepositoryName,
    manifest: RefsManifest,
) -> Result<(), ApiError> {
    let request = RestoreRefs {
        repository,
        manifest: Some(manifest),
        storage_namespace: None,
        default_branch: None,
        take_over: false,
    };
    let mut events = caller.client.restore_refs(request);
    while let Some(event) = events.try_next().await? {
        if let RestoreEvent::Done(_) = event {
            return Ok(());
        }
    }
    Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "the restore ended without a word"))
}

fn submitted(app: &App, ended: Result<Option<Refs>, ApiError>) -> (StatusCode, Json<Task>) {
    let at = app.parts.clock.now().seconds;
    let done = match ended {
        Ok(refs) => Done { at, refs, error: None },
        Err(error) => Done { at, refs: None, error: Some(error.message().to_owned()) },
    };
    (StatusCode::ACCEPTED, Json(Task { id: done.id() }))
}

/// What came of a dump or a restore.
#[utoipa::path(
    get, path = "/repositories/{repository}/dump", operation_id = "dumpStatus",
    params(("task_id" = String, Query, min_length = 1)),
    responses((status = 200, body = TaskStatus), Reading),
)]
async fn status(
    Extension(caller): Extension<Caller>,
    Segments(repository): Segments<String>,
    query: Query,
) -> Result<Json<TaskStatus>, ApiError> {
    caller.client.get_repository(&RepositoryName::new(repository)?).await?;
    let id = query.required("task_id")?;
    let done = Done::parse(id)?;
    Ok(Json(TaskStatus {
        id: id.to_owned(),
        done: true,
        update_time: Time::from_seconds(done.at).to_string(),
        error: done.error.map(|message| Message { message }),
        refs: done.refs,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_task_tells_what_came_of_it() {
        let id = || "ab".repeat(32);
        let refs =
            Refs { commits_meta_range_id: id(), tags_meta_range_id: id(), branches_meta_range_id: id() };
        assert_eq!(Refs::from(refs.manifest().unwrap()), refs);
        let done = Done { at: 7, refs: Some(refs), error: None };
        assert_eq!(Done::parse(&done.id()).unwrap(), done);
        for wrong in ["", "x", "e30", "{}"] {
            assert_eq!(Done::parse(wrong).unwrap_err().status(), 404, "{wrong}");
        }
    }
}
