//! Commit: seal, fold, publish. Writers are never blocked; a lost race does again only what it must.

use std::collections::BTreeMap;

use braid_types::{BranchName, Code, Commit, CommitId, Error, IdentityHasher, RepositoryName, Result, Time};

use super::plan::{Effect, Place, Plan};
use super::publish::CommitText;
use super::queue::{HeadJob, Work};
use super::stage::BranchAddress;
use crate::catalog::Catalog;
use crate::mutation::Mutation;
use crate::protection::Touch;

/// What to commit, and with which text.
#[derive(Debug, Clone)]
pub struct CommitRequest {
    /// The branch.
    pub branch: BranchName,
    /// Who commits.
    pub committer: String,
    /// What the committer says of it.
    pub message: String,
    /// Keys and values of the committer's.
    pub metadata: BTreeMap<String, String>,
    /// The commit's time; `None` is now.
    pub time: Option<Time>,
    /// Commit even if nothing differs from the head.
    pub allow_empty: bool,
}

impl Catalog {
    /// Commits what is staged on a branch.
    ///
    /// # Errors
    /// [`Code::NothingToCommit`] if nothing differs from the head.
    pub async fn commit(
        &self,
        repository: &RepositoryName,
        commit: &CommitRequest,
        mutation: &Mutation,
    ) -> Result<CommitId> {
        commit.check()?;
        let at = BranchAddress { repository: repository.clone(), branch: commit.branch.clone() };
        let fingerprint = commit.identity(repository).finish();
        self.line_up(HeadJob::new(at, Work::Commit(commit.clone()), mutation, fingerprint)).await
    }
}

impl Plan<'_> {
    /// Folds a branch's sealed layers into a commit. Layers that change nothing are dropped on the way.
    pub(crate) async fn commit(&mut self, place: Place<'_>, commit: &CommitRequest) -> Result<CommitId> {
        place.repository.protection.check(&place.repository.name, &commit.branch, Touch::Commit)?;
        let branch = self.branch(place.repository, &commit.branch).await?;
        let head = self.catalog.load_commit(&self.draft, place.repository, &branch.head).await?;
        let ranges = self.ranges(place.repository).await?;
        let layers = self.draft.snapshot();
        let folded = self.catalog.fold_layers(&ranges, place.repository, &branch, layers).await?;
        if folded.tree == head.metarange && !commit.allow_empty {
            self.catalog.drop_idle_layers(place.repository, &commit.branch, &branch).await?;
            return Err(nothing_to_commit(&commit.branch));
        }
        let text = CommitText {
            committer: commit.committer.clone(),
            message: commit.message.clone(),
            metadata: commit.metadata.clone(),
            time: commit.time.unwrap_or_else(|| self.catalog.now()),
        };
        let made = text.commit(&[(branch.head, head.generation)], folded.tree);
        self.advance(place, &commit.branch, made, Effect::Own).await
    }
}

impl CommitRequest {
    /// Refuses texts that are too long.
    pub(super) fn check(&self) -> Result<()> {
        Commit::check_limits(&self.committer, &self.message, &self.metadata)
    }

    /// What tells this request from others.
    pub(super) fn identity(&self, repository: &RepositoryName) -> IdentityHasher {
        let names = ["commit", repository.as_str(), self.branch.as_str(), &self.committer, &self.message];
        let hasher =
            IdentityHasher::new().strings(&names).map(&self.metadata).int64(i64::from(self.allow_empty));
        self.time.into_iter().fold(hasher, |hasher, time| hasher.int64(time.seconds))
    }
}

fn nothing_to_commit(branch: &BranchName) -> Error {
    let message = format!("branch '{branch}' has no changes to commit");
    Error::new(Code::NothingToCommit, branch.as_str(), message)
}
