//! The merge base of two refs.

use braid_types::{CommitId, RefExpression, RepositoryName, Result};

use super::merge::no_base;
use crate::catalog::{Catalog, load_repository};
use crate::commits::RepositoryCommits;
use crate::graph::merge_base;
use crate::resolve::resolve;

impl Catalog {
    /// The commits that two expressions name, and a best common ancestor of them.
    ///
    /// # Errors
    /// [`braid_types::Code::NoMergeBase`] if they share no history.
    pub async fn merge_base(
        &self,
        repository: &RepositoryName,
        left: &RefExpression,
        right: &RefExpression,
    ) -> Result<(CommitId, CommitId, CommitId)> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let left = resolve(self, &snapshot, &repository, left).await?.committed(left)?.commit;
        let right = resolve(self, &snapshot, &repository, right).await?.committed(right)?.commit;
        let commits = RepositoryCommits::new(self, &snapshot, repository.id);
        let base = merge_base(&commits, left, right).await?;
        Ok((left, right, base.ok_or_else(|| no_base(left, right))?))
    }
}
