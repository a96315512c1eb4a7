//! Commits.

use std::collections::BTreeMap;

use braid_client::CommitInfo;
use braid_types::CommitId;
use serde::Serialize;
use utoipa::ToSchema;

use super::Listed;

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Commit)]
pub(crate) struct CommitView {
    pub(crate) id: String,
    parents: Vec<String>,
    committer: String,
    message: String,
    creation_date: i64,
    meta_range_id: String,
    metadata: BTreeMap<String, String>,
    generation: u32,
    version: i32,
}

/// A page of commits.
pub(crate) type CommitList = Listed<CommitView>;

impl From<CommitInfo> for CommitView {
    fn from(info: CommitInfo) -> Self {
        let commit = info.commit;
        Self {
            id: info.id.to_hex(),
            parents: commit.parents.iter().map(CommitId::to_hex).collect(),
            committer: commit.committer,
            message: commit.message,
            creation_date: commit.time.seconds,
            meta_range_id: commit.metarange.map(|id| id.to_hex()).unwrap_or_default(),
            metadata: commit.metadata,
            generation: commit.generation,
            version: commit.version,
        }
    }
}
