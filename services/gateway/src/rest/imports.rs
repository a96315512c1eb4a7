//! Imports of objects that are already in a bucket. An import always becomes a commit here.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Extension, State};
use braid_client::{Import, ImportCommit, ImportSource, ImportSourceKind, ImportStatus, StartImport};
use braid_types::{BranchName, ImportId, RefExpression, RepositoryName};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::{ApiError, Message};
use super::names::branch_on;
use super::openapi::{Reading, Writing};
use super::query::Query;
use super::route::Segments;
use super::view::CommitView;

/// What a commit says when the caller has nothing to say.
const MESSAGE: &str = "Import objects";

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(status, start, cancel))
}

#[derive(Deserialize, ToSchema)]
struct ImportCreation {
    paths: Vec<Place>,
    #[serde(default)]
    commit: Option<Commit>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ImportLocation)]
struct Place {
    #[serde(rename = "type")]
    kind: Kind,
    /// A URI.
    path: String,
    /// A directory, whose content is replaced, or the path of one object.
    destination: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ImportLocationType)]
#[serde(rename_all = "snake_case")]
enum Kind {
    CommonPrefix,
    Object,
}

#[derive(Default, Deserialize, ToSchema)]
#[schema(as = ImportCommitCreation)]
struct Commit {
    #[serde(default)]
    message: String,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ImportCreationResponse)]
struct Started {
    id: String,
}

/// Give objects that are in a bucket already paths on a branch, in the background.
#[utoipa::path(
    post, path = "/repositories/{repository}/branches/{branch}/import", operation_id = "importStart",
    request_body = ImportCreation,
    responses((status = 202, description = "It has begun", body = Started), Writing),
)]
async fn start(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    JsonBody(asked): JsonBody<ImportCreation>,
) -> Result<(StatusCode, Json<Started>), ApiError> {
    let (repository, branch) = branch_on(segments)?;
    let sources = asked.paths.into_iter().map(|place| place.source(&app.settings)).collect();
    let commit = asked.commit.unwrap_or_default();
    let message = if commit.message.is_empty() { MESSAGE.to_owned() } else { commit.message };
    let commit = Some(ImportCommit { message, metadata: commit.metadata.unwrap_or_default() });
    let started = caller.client.start_import(StartImport { repository, branch, sources, commit }).await?;
    Ok((StatusCode::ACCEPTED, Json(Started { id: started.id.to_hex() })))
}

impl Place {
    /// The source, where directories need not be written as such.
    fn source(self, settings: &crate::gateway::Settings) -> ImportSource {
        let Self { kind, path, mut destination } = self;
        let mut uri = settings.address(&path);
        let kind = match kind {
            Kind::Object => ImportSourceKind::Object,
            Kind::CommonPrefix => {
                if !destination.is_empty() && !destination.ends_with('/') {
                    destination.push('/');
                }
                // A bucket alone is all that is in it.
                if uri.split_once("://").is_some_and(|(_, place)| !place.contains('/')) {
                    uri.push('/');
                }
                ImportSourceKind::Prefix
            }
        };
        ImportSource { kind, uri, destination }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = ImportStatus)]
struct Status {
    completed: bool,
    #[schema(format = DateTime)]
    update_time: String,
    ingested_objects: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    metarange_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    commit: Option<CommitView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<Message>,
}

/// How far an import is.
#[utoipa::path(
    get, path = "/repositories/{repository}/branches/{branch}/import", operation_id = "importStatus",
    params(("id" = String, Query)), responses((status = 200, body = Status), Reading),
)]
async fn status(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<Json<Status>, ApiError> {
    let (repository, import) = find(&caller, segments, &query).await?;
    let commit = match import.commit_id {
        None => None,
        Some(id) => {
            let reference = RefExpression::parse(&id.to_hex())?;
            Some(caller.client.get_commit(&repository, &reference).await?.into())
        }
    };
    let error = match import.status {
        ImportStatus::Running | ImportStatus::Finished => None,
        ImportStatus::Cancelled => Some("Canceled".to_owned()),
        ImportStatus::Failed => Some(import.error_message.unwrap_or_default()),
    };
    Ok(Json(Status {
        completed: import.status == ImportStatus::Finished,
        update_time: import.updated_at.to_string(),
        ingested_objects: import.objects,
        metarange_id: import.metarange_id.map(|id| id.to_hex()),
        commit,
        error: error.map(|message| Message { message }),
    }))
}

/// End an import before it changes anything.
#[utoipa::path(
    delete, path = "/repositories/{repository}/branches/{branch}/import", operation_id = "importCancel",
    params(("id" = String, Query)), responses((status = 204), Reading, (status = 409)),
)]
async fn cancel(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let (repository, import) = find(&caller, segments, &query).await?;
    caller.client.cancel_import(&repository, import.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The import of the branch that the query names.
async fn find(
    caller: &Caller,
    segments: (String, String),
    query: &Query,
) -> Result<(RepositoryName, Import), ApiError> {
    let (repository, branch) = branch_on(segments)?;
    let text = query.required("id")?;
    let id: ImportId = text.parse().map_err(|_| not_found(text, &branch))?;
    let found = caller.client.get_import(&repository, id).await?;
    if found.branch != branch {
        return Err(not_found(text, &branch));
    }
    Ok((repository, found))
}

fn not_found(id: &str, branch: &BranchName) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, format!("import not found: branch '{branch}' has no import '{id}'"))
}
