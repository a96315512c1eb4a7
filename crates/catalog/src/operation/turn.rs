//! Moving a branch head: what commit, merge, revert and cherry-pick do before their attempts, and around them.

use std::sync::Arc;

use braid_types::{BranchName, CommitId, RepositoryName, Result};
use tokio::sync::OwnedMutexGuard;

use super::publish::{Published, Target};
use crate::catalog::{Catalog, load_writable};
use crate::mutation::{Attempts, Request};
use crate::record::RepositoryRecord;
use crate::record::request::Answer;

/// Whether a head is still to be moved.
pub(super) enum Begun<'a> {
    /// The request was done before.
    Done(CommitId),
    /// It is this caller's turn.
    Turn(Turn<'a>),
}

/// The turn of one mover of a branch head in this process; the next one waits until it is dropped.
pub(super) struct Turn<'a> {
    repository: RepositoryRecord,
    branch: &'a BranchName,
    _held: OwnedMutexGuard<()>,
}

impl Turn<'_> {
    /// The branch.
    pub(super) fn target(&self) -> Target<'_> {
        Target { repository: &self.repository, branch: self.branch }
    }
}

impl Catalog {
    /// Waits for the turn to move the head of `branch`.
    pub(super) async fn turn<'a>(
        &self,
        repository: &RepositoryName,
        branch: &'a BranchName,
        request: &Request<'_>,
    ) -> Result<Begun<'a>> {
        let txn = self.begin().await?;
        if let Some(Answer::Commit(id)) = request.replay(self, &*txn).await? {
            return Ok(Begun::Done(id));
        }
        let repository = load_writable(&txn, repository).await?;
        drop(txn);
        let queue = self.queue(&repository.id, branch);
        let held = Arc::clone(&queue).lock_owned().await;
        Ok(Begun::Turn(Turn { repository, branch, _held: held }))
    }

    /// Makes attempts until one publishes or fails, or too many were lost.
    pub(super) async fn until_published<F>(&self, attempt: impl Fn() -> F) -> Result<CommitId>
    where
        F: Future<Output = Result<Published>>,
    {
        let mut attempts = Attempts::new(self);
        loop {
            match attempt().await? {
                Published::Moved(id) => return Ok(id),
                Published::Lost(lost) => attempts.again(self, lost).await?,
            }
        }
    }
}
