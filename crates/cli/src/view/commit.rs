//! Commits.

use std::collections::BTreeMap;
use std::fmt;

use braid_client::CommitInfo;
use serde::Serialize;

use crate::text::Plain;

/// A commit, in full.
#[derive(Serialize)]
pub(crate) struct CommitView {
    id: String,
    parents: Vec<String>,
    metarange_id: String,
    committer: String,
    message: String,
    metadata: BTreeMap<String, String>,
    created_at: String,
    generation: u32,
    version: i32,
}

impl From<CommitInfo> for CommitView {
    fn from(info: CommitInfo) -> Self {
        let commit = info.commit;
        Self {
            id: info.id.to_hex(),
            parents: commit.parents.iter().map(braid_types::CommitId::to_hex).collect(),
            metarange_id: commit.metarange.map(|id| id.to_hex()).unwrap_or_default(),
            committer: commit.committer,
            message: commit.message,
            metadata: commit.metadata,
            created_at: commit.time.to_string(),
            generation: commit.generation,
            version: commit.version,
        }
    }
}

impl fmt::Display for CommitView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "commit {}", self.id)?;
        if self.parents.len() > 1 {
            writeln!(f, "merge:     {}", self.parents.join(" "))?;
        }
        writeln!(f, "committer: {}", Plain(&self.committer))?;
        writeln!(f, "date:      {}", self.created_at)?;
        for (key, value) in &self.metadata {
            writeln!(f, "metadata:  {} = {}", Plain(key), Plain(value))?;
        }
        writeln!(f)?;
        for line in self.message.lines() {
            writeln!(f, "    {}", Plain(line))?;
        }
        Ok(())
    }
}

/// A commit that was just made.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct CommitLine(CommitView);

impl From<CommitInfo> for CommitLine {
    fn from(info: CommitInfo) -> Self {
        Self(info.into())
    }
}

impl fmt::Display for CommitLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.id, Plain(self.0.message.lines().next().unwrap_or_default()))
    }
}
