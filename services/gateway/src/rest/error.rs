//! Failures as lakeFS's clients know them: a status and `{"message": …}`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use braid_types::{Code, Error};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// What a refusal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct Message {
    pub(crate) message: String,
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    /// A failure with this status and text.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// The request itself is malformed.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// What is asked for is not built.
    pub(crate) fn not_implemented() -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "Not Implemented")
    }

    /// The status that it is answered with.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The text that it is answered with.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(Message { message: self.message })).into_response()
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::new(status(error.code()), text(&error))
    }
}

/// The status that lakeFS has for what happened, where it differs from ours.
fn status(code: Code) -> StatusCode {
    match code {
        Code::DefaultBranch => StatusCode::FORBIDDEN,
        Code::ParentRequired | Code::Conflict => StatusCode::CONFLICT,
        _ => StatusCode::from_u16(code.http()).expect("every code has a status of HTTP's"),
    }
}

/// The texts that clients and their tests look for; our own words follow where they say more.
fn text(error: &Error) -> String {
    let known = match error.code() {
        Code::NothingToCommit | Code::NothingToMerge => "no changes",
        Code::DirtyBranch => "uncommitted changes (dirty branch)",
        Code::MergeConflict => "conflict found",
        Code::TagExists => "tag already exists: not unique",
        Code::BranchExists | Code::RefNameTaken => "branch already exists: not unique",
        Code::RepositoryExists => "error creating repository: not unique",
        Code::ReadOnly => "read-only repository",
        Code::DefaultBranch => "cannot delete repository default branch",
        Code::PreconditionFailed => "path already exists",
        Code::RepositoryNotFound => "repository not found",
        Code::CommitNotFound => "commit not found",
        Code::MetarangeNotFound => "metarange not found",
        Code::PullRequestNotFound => "pull request not found",
        Code::PullRequestNotOpen => "bad pull request status",
        Code::NamespaceInUse => "storage namespace already in use",
        Code::Unauthenticated => return "error authenticating request".to_owned(),
        Code::Unimplemented => return "Not Implemented".to_owned(),
        _ => return error.message().to_owned(),
    };
    format!("{known}: {}", error.message())
}
