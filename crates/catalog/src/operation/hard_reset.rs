//! Hard reset: a branch's head moves to another commit.

use braid_types::{BranchName, CommitId, RefExpression, RepositoryName, Result};

use super::plan::{Place, Plan};
use super::queue::{HeadJob, Work};
use super::stage::BranchAddress;
use crate::catalog::Catalog;
use crate::graph::Commits;
use crate::mutation::Mutation;
use crate::protection::Touch;
use crate::resolve::resolve;

impl Catalog {
    /// Moves the head of a branch to the commit that `to` names, and gives that. The commits it leaves behind stay.
    ///
    /// # Errors
    /// [`Code::DirtyBranch`](braid_types::Code::DirtyBranch) if anything is uncommitted on the branch.
    pub async fn hard_reset(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        to: &RefExpression,
        mutation: &Mutation,
    ) -> Result<CommitId> {
        let at = BranchAddress { repository: repository.clone(), branch: branch.clone() };
        let asked = ["hard reset", repository.as_str(), branch.as_str(), to.text()];
        let fingerprint = braid_types::IdentityHasher::new().strings(&asked).finish();
        self.line_up(HeadJob::new(at, Work::HardReset(to.clone()), mutation, fingerprint)).await
    }
}

impl Plan<'_> {
    /// Moves a clean branch to another commit.
    pub(super) async fn hard_reset(
        &mut self,
        place: Place<'_>,
        branch: &BranchName,
        to: &RefExpression,
    ) -> Result<CommitId> {
        place.repository.protection.check(&place.repository.name, branch, Touch::Write)?;
        self.clean_branch(place.repository, branch).await?;
        let found = resolve(self.catalog, &self.draft, place.repository, to).await?;
        let head = found.committed(to)?.commit;
        let tree = self.commits_of(place.repository).commit(&head).await?.metarange;
        self.jump(place, branch, head, tree);
        Ok(head)
    }
}
