//! Commits of one repository, kept in memory once read: they never change.

use std::sync::Arc;

use async_trait::async_trait;
use braid_types::{Code, Commit, CommitId, Error, RepositoryId, Result};

use crate::catalog::Catalog;
use crate::graph::Commits;
use crate::record::commit;
use crate::view::Reads;

/// Reads a repository's commits through the catalog's cache.
pub(crate) struct RepositoryCommits<'a> {
    catalog: &'a Catalog,
    reads: &'a dyn Reads,
    repository: RepositoryId,
}

impl<'a> RepositoryCommits<'a> {
    pub(crate) fn new(catalog: &'a Catalog, reads: &'a dyn Reads, repository: RepositoryId) -> Self {
        Self { catalog, reads, repository }
    }
}

#[async_trait]
impl Commits for RepositoryCommits<'_> {
    async fn commit(&self, id: &CommitId) -> Result<Arc<Commit>> {
        let cache = self.catalog.cached_commits();
        if let Some(commit) = cache.get(&(self.repository, *id)) {
            return Ok(commit);
        }
        let Some(bytes) = self.reads.get(&commit::key(&self.repository, id)).await? else {
            return Err(Error::new(Code::CommitNotFound, id.to_hex(), format!("there is no commit '{id}'")));
        };
        let commit = Arc::new(commit::decode(id, &bytes)?);
        cache.insert((self.repository, *id), Arc::clone(&commit));
        Ok(commit)
    }
}
