//! Dumps of references, and what was restored.

use std::fmt;

use braid_client::{DumpedRefs, RefsProgress, RestoredRefs};
use serde::Serialize;

use super::RepositoryView;
use crate::text::{Count, Plain};

/// How far a dump or a restore has come.
pub(crate) struct RefsProgressView {
    progress: RefsProgress,
    verb: &'static str,
}

impl RefsProgressView {
    pub(crate) fn dumped(progress: RefsProgress) -> Self {
        Self { progress, verb: "dumped" }
    }

    pub(crate) fn restored(progress: RefsProgress) -> Self {
        Self { progress, verb: "restored" }
    }
}

impl fmt::Display for RefsProgressView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RefsProgress { commits, commits_total, branches, tags, checked } = self.progress;
        write!(f, "{} ", self.verb)?;
        if commits < commits_total {
            write!(f, "{commits} of ")?;
        }
        let counts =
            (Count(commits.max(commits_total), "commit"), Count(branches, "branch"), Count(tags, "tag"));
        write!(f, "{}, {}, {}", counts.0, counts.1, counts.2)?;
        if checked > 0 {
            write!(f, "; checked {}", Count(checked, "commit"))?;
        }
        Ok(())
    }
}

/// What was dumped: lakeFS's manifest, and more.
#[derive(Serialize)]
pub(crate) struct DumpView {
    commits_meta_range_id: String,
    tags_meta_range_id: String,
    branches_meta_range_id: String,
    manifest: String,
    commits: u64,
    branches: u64,
    tags: u64,
    uncommitted: u64,
    uncommitted_branches: Vec<String>,
}

impl From<DumpedRefs> for DumpView {
    fn from(dumped: DumpedRefs) -> Self {
        let DumpedRefs { manifest, manifest_uri, commits, branches, tags, uncommitted, .. } = dumped;
        Self {
            commits_meta_range_id: manifest.commits_meta_range_id.to_hex(),
            tags_meta_range_id: manifest.tags_meta_range_id.to_hex(),
            branches_meta_range_id: manifest.branches_meta_range_id.to_hex(),
            manifest: manifest_uri,
            commits,
            branches,
            tags,
            uncommitted,
            uncommitted_branches: dumped.uncommitted_branches.iter().map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Display for DumpView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (commits, branches) = (Count(self.commits, "commit"), Count(self.branches, "branch"));
        writeln!(f, "dumped {commits}, {branches}, {}", Count(self.tags, "tag"))?;
        writeln!(f, "commits   {}", self.commits_meta_range_id)?;
        writeln!(f, "branches  {}", self.branches_meta_range_id)?;
        writeln!(f, "tags      {}", self.tags_meta_range_id)?;
        write!(f, "manifest  {}", Plain(&self.manifest))
    }
}

/// What was restored.
#[derive(Serialize)]
pub(crate) struct RestoreView {
    repository: RepositoryView,
    commits: u64,
    branches: u64,
    tags: u64,
}

impl From<RestoredRefs> for RestoreView {
    fn from(restored: RestoredRefs) -> Self {
        let RestoredRefs { repository, commits, branches, tags } = restored;
        Self { repository: repository.into(), commits, branches, tags }
    }
}

impl fmt::Display for RestoreView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (commits, branches) = (Count(self.commits, "commit"), Count(self.branches, "branch"));
        writeln!(f, "restored {commits}, {branches}, {}", Count(self.tags, "tag"))?;
        write!(f, "{}", self.repository)
    }
}
