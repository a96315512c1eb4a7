//! Pull requests.

use braid_client::{PullRequest, PullRequestStatus};
use serde::Serialize;
use utoipa::ToSchema;

use super::Listed;

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PullRequest)]
pub(crate) struct PullView {
    pub(crate) id: String,
    status: StatusView,
    title: String,
    /// Empty in lists.
    description: String,
    author: String,
    source_branch: String,
    destination_branch: String,
    #[schema(format = DateTime)]
    creation_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    closed_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    merged_commit_id: Option<String>,
}

/// What became of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PullRequestStatus)]
#[serde(rename_all = "snake_case")]
enum StatusView {
    Open,
    Closed,
    Merged,
}

/// A page of pull requests.
pub(crate) type PullList = Listed<PullView>;

impl From<PullRequest> for PullView {
    fn from(pull: PullRequest) -> Self {
        Self {
            id: pull.id.to_string(),
            status: match pull.status {
                PullRequestStatus::Open => StatusView::Open,
                PullRequestStatus::Closed => StatusView::Closed,
                PullRequestStatus::Merged => StatusView::Merged,
            },
            title: pull.title,
            description: pull.description,
            author: pull.author,
            source_branch: pull.source.to_string(),
            destination_branch: pull.destination.to_string(),
            creation_date: pull.created_at.to_string(),
            closed_date: pull.closed_at.map(|time| time.to_string()),
            merged_commit_id: pull.merged_commit_id.map(|id| id.to_hex()),
        }
    }
}
