//! Imports.

use std::fmt;

use braid_client::{Import, ImportStatus};
use serde::Serialize;

use crate::text::{Count, Plain};

/// An import.
#[derive(Serialize)]
pub(crate) struct ImportView {
    id: String,
    branch: String,
    status: &'static str,
    objects: u64,
    started_by: String,
    started_at: String,
    updated_at: String,
    metarange_id: Option<String>,
    commit_id: Option<String>,
}

impl From<Import> for ImportView {
    fn from(import: Import) -> Self {
        let status = match import.status {
            ImportStatus::Running => "running",
            ImportStatus::Finished => "finished",
            ImportStatus::Failed => "failed",
            ImportStatus::Cancelled => "cancelled",
        };
        Self {
            id: import.id.to_hex(),
            branch: import.branch.to_string(),
            status,
            objects: import.objects,
            started_by: import.started_by,
            started_at: import.started_at.to_string(),
            updated_at: import.updated_at.to_string(),
            metarange_id: import.metarange_id.map(|id| id.to_hex()),
            commit_id: import.commit_id.map(|id| id.to_hex()),
        }
    }
}

impl fmt::Display for ImportView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.status == "running" {
            return write!(f, "import {} goes on", Plain(&self.id));
        }
        write!(f, "imported {} to {}", Count(self.objects, "object"), Plain(&self.branch))?;
        match &self.commit_id {
            Some(id) => write!(f, " in commit {}", Plain(id)),
            None => write!(f, ", uncommitted"),
        }
    }
}
