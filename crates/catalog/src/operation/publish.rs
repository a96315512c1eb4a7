//! Publishing: a branch head moves to a new commit in one transaction, if the branch is still what the work began from.

use std::collections::BTreeMap;

use braid_kv::{Transaction, transaction_ahead};
use braid_types::{BranchName, COMMIT_VERSION, Code, Commit, CommitId, Error, Result, Time};

use super::repositories::lock_branch;
use super::seal::is_clean;
use crate::catalog::{Catalog, finish, load_branch};
use crate::mutation::{Request, lost_race};
use crate::record::branch::sealed_tokens;
use crate::record::dropped::{self, Dropped};
use crate::record::ref_change::{RefEvent, RefMove};
use crate::record::request::Answer;
use crate::record::{self, BranchRecord, RepositoryRecord};

/// What goes into a commit beside its tree and parents.
#[derive(Debug, Clone)]
pub(super) struct CommitText {
    pub(super) committer: String,
    pub(super) message: String,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) time: Time,
}

impl CommitText {
    /// The commit with this text; its generation is one more than the largest of its parents'.
    pub(super) fn commit(self, parents: &[(CommitId, u32)], tree: braid_tree::TreeId) -> Commit {
        let largest = parents.iter().map(|(_, generation)| *generation).max().unwrap_or(0);
        Commit {
            parents: parents.iter().map(|(id, _)| *id).collect(),
            metarange: tree,
            committer: self.committer,
            message: self.message,
            metadata: self.metadata,
            time: self.time.whole_seconds(),
            generation: largest + 1,
            version: COMMIT_VERSION,
        }
    }
}

/// How a publish ended.
#[derive(Debug)]
pub(crate) enum Published {
    /// The head moved, now or (as a retry found out) before.
    Moved(CommitId),
    /// The branch had changed; the work must be done again on what it is now.
    Lost(Error),
}

/// A place to publish to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) repository: &'a RepositoryRecord,
    pub(crate) branch: &'a BranchName,
}

impl Catalog {
    /// Publishes the fold of the branch's own sealed layers. What readers of the branch see does not change, so no
    /// fence is needed. Layers sealed since stay.
    pub(crate) async fn publish_own(
        &self,
        target: Target<'_>,
        folded_from: &BranchRecord,
        commit: &Commit,
        request: &Request<'_>,
    ) -> Result<Published> {
        let keys = [request.key(), record::branch::key(&target.repository.id, target.branch)];
        let mut txn = transaction_ahead(self.begin().await?, &keys).await?;
        if let Some(Answer::Commit(id)) = request.replay(self, &*txn).await? {
            return Ok(Published::Moved(id));
        }
        let current = load_branch(&txn, target.repository, target.branch).await?;
        if !is_continued_by(folded_from, &current) {
            return Ok(Published::Lost(lost_race(target.branch.as_str())));
        }
        let (before, head) = (current.head, commit.id());
        let record = BranchRecord {
            head,
            base: commit.metarange,
            sealed: current.sealed[folded_from.sealed.len()..].to_vec(),
            ..current
        };
        self.drop_layers(&mut *txn, folded_from);
        self.write_head(&mut *txn, target, &record, commit);
        let what = RefMove::new(RefEvent::BranchMoved, target.branch.as_str(), Some(before), Some(head));
        request.log(self, &mut *txn, &target.repository.id, what);
        request.record(self, &mut *txn, Answer::Commit(head));
        Ok(ended(finish(txn, target.branch.as_str()).await?, head))
    }

    /// Drops sealed layers that change nothing.
    pub(super) async fn drop_idle_layers(
        &self,
        target: Target<'_>,
        folded_from: &BranchRecord,
    ) -> Result<()> {
        let mut txn = self.begin().await?;
        let current = load_branch(&txn, target.repository, target.branch).await?;
        if folded_from.sealed.is_empty() || !is_continued_by(folded_from, &current) {
            return Ok(());
        }
        let record = BranchRecord { sealed: current.sealed[folded_from.sealed.len()..].to_vec(), ..current };
        self.drop_layers(&mut *txn, folded_from);
        txn.put(record::branch::key(&target.repository.id, target.branch), record.encode());
        // Losing this race loses nothing: the layers are dropped by a later commit.
        finish(txn, target.branch.as_str()).await.map(|_| ())
    }

    /// Publishes a commit that changes what readers of the branch see, under its exclusive fence.
    ///
    /// # Errors
    /// [`Code::DirtyBranch`] if anything is uncommitted on the branch.
    pub(crate) async fn publish_foreign(
        &self,
        target: Target<'_>,
        expected: &BranchRecord,
        commit: &Commit,
        request: &Request<'_>,
    ) -> Result<Published> {
        let mut txn = self.begin_exclusive().await?;
        if let Some(Answer::Commit(id)) = request.replay(self, &*txn).await? {
            return Ok(Published::Moved(id));
        }
        let current = lock_branch(self, &mut *txn, target.repository, target.branch).await?;
        let held = current.open.fence().exclusive(&mut *txn, self.settings.lock_wait).await?;
        if !is_clean(&txn, &current).await? {
            return Err(dirty(target.branch));
        }
        if (current.incarnation, current.head, current.base)
            != (expected.incarnation, expected.head, expected.base)
        {
            return Ok(Published::Lost(lost_race(target.branch.as_str())));
        }
        held.keep_open(&mut *txn);
        let (before, head) = (current.head, commit.id());
        let record = BranchRecord { head, base: commit.metarange, ..current };
        self.write_head(&mut *txn, target, &record, commit);
        let what = RefMove::new(RefEvent::BranchMoved, target.branch.as_str(), Some(before), Some(head));
        request.log(self, &mut *txn, &target.repository.id, what);
        request.record(self, &mut *txn, Answer::Commit(head));
        Ok(ended(finish(txn, target.branch.as_str()).await?, head))
    }

    fn write_head(
        &self,
        txn: &mut dyn Transaction,
        target: Target<'_>,
        record: &BranchRecord,
        commit: &Commit,
    ) {
        let id = &target.repository.id;
        txn.put(record::commit::key(id, &record.head), record::commit::encode(commit));
        txn.put(record::branch::key(id, target.branch), record.encode());
    }

    /// Gives the tokens of folded layers to the clean-up.
    pub(super) fn drop_layers(&self, txn: &mut dyn Transaction, folded: &BranchRecord) {
        for token in sealed_tokens(&folded.sealed) {
            txn.put(Dropped::Token(token).key(), dropped::encode(self.now()));
        }
    }
}

/// Whether `current` is `folded` with at most more layers sealed on top.
pub(super) fn is_continued_by(folded: &BranchRecord, current: &BranchRecord) -> bool {
    (current.incarnation, current.head, current.base) == (folded.incarnation, folded.head, folded.base)
        && current.sealed.starts_with(&folded.sealed)
}

fn ended(lost: Option<Error>, head: CommitId) -> Published {
    lost.map_or(Published::Moved(head), Published::Lost)
}

/// The error of an operation that needs a branch without uncommitted changes.
pub(super) fn dirty(branch: &BranchName) -> Error {
    let message = format!("branch '{branch}' has uncommitted changes: commit or reset them first");
    Error::new(Code::DirtyBranch, branch.as_str(), message)
}
