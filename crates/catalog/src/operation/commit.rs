//! Commit: seal, fold, publish. Writers are never blocked; a lost race does again only what it must.

use std::collections::BTreeMap;

use braid_types::{BranchName, Code, Commit, CommitId, Error, IdentityHasher, RepositoryName, Result, Time};

use super::publish::{CommitText, Published, Target};
use super::turn::Begun;
use crate::catalog::{Catalog, load_branch};
use crate::mutation::{Mutation, Request};
use crate::protection::Touch;
use crate::record::request::Answer;

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
        Commit::check_limits(&commit.committer, &commit.message, &commit.metadata)?;
        let request = mutation.with(fingerprint(repository, commit));
        let turn = match self.turn(repository, &commit.branch, &request).await? {
            Begun::Done(id) => return Ok(id),
            Begun::Turn(turn) => turn,
        };
        let target = turn.target();
        target.repository.protection.check(&target.repository.name, target.branch, Touch::Commit)?;
        self.seal(target.repository, target.branch).await?;
        self.until_published(|| self.fold_and_publish(target, commit, &request)).await
    }

    async fn fold_and_publish(
        &self,
        target: Target<'_>,
        commit: &CommitRequest,
        request: &Request<'_>,
    ) -> Result<Published> {
        // Taken after the seal was acknowledged, so it sees all that the sealed layers hold.
        let snapshot = self.snapshot().await?;
        let branch = load_branch(&snapshot, target.repository, target.branch).await?;
        let head = self.load_commit(&snapshot, target.repository, &branch.head).await?;
        let folded = self.fold_layers(target.repository, &branch, &snapshot).await?;
        if folded.tree == head.metarange && !commit.allow_empty {
            return self.nothing_to_commit(target, &branch, request).await;
        }
        let text = CommitText {
            committer: commit.committer.clone(),
            message: commit.message.clone(),
            metadata: commit.metadata.clone(),
            time: commit.time.unwrap_or_else(|| self.now()),
        };
        let commit = text.commit(&[(branch.head, head.generation)], folded.tree);
        self.publish_own(target, &branch, &commit, request).await
    }

    /// A retry may find nothing left to commit because the first try committed it.
    async fn nothing_to_commit(
        &self,
        target: Target<'_>,
        branch: &crate::record::BranchRecord,
        request: &Request<'_>,
    ) -> Result<Published> {
        let txn = self.begin().await?;
        if let Some(Answer::Commit(id)) = request.replay(self, &*txn).await? {
            return Ok(Published::Moved(id));
        }
        drop(txn);
        self.drop_idle_layers(target, branch).await?;
        let message = format!("branch '{}' has no changes to commit", target.branch);
        Err(Error::new(Code::NothingToCommit, target.branch.as_str(), message))
    }
}

fn fingerprint(repository: &RepositoryName, commit: &CommitRequest) -> IdentityHasher {
    let names = ["commit", repository.as_str(), commit.branch.as_str(), &commit.committer, &commit.message];
    let hasher =
        IdentityHasher::new().strings(&names).map(&commit.metadata).int64(i64::from(commit.allow_empty));
    commit.time.into_iter().fold(hasher, |hasher, time| hasher.int64(time.seconds))
}
