//! Pull requests.

use braid_client::{PullRequest, PullRequestStatus};
use serde::Serialize;

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PullView {
    pub(crate) id: String,
    status: &'static str,
    title: String,
    /// Clients want it in lists as well, where it is empty.
    description: String,
    author: String,
    source_branch: String,
    destination_branch: String,
    creation_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_commit_id: Option<String>,
}

impl From<PullRequest> for PullView {
    fn from(pull: PullRequest) -> Self {
        Self {
            id: pull.id.to_string(),
            status: match pull.status {
                PullRequestStatus::Open => "open",
                PullRequestStatus::Closed => "closed",
                PullRequestStatus::Merged => "merged",
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
