//! Calls about commits, history, differences and merges.

use braid_types::{Error, RefExpression, RepositoryName};
use braid_wire::{
    CherryPick, CommitBranch, CommitInfo, CommitSet, CommitTree, Diff, DiffBranch, DiffItem, GetCommit,
    ListDiff, ListMergeConflicts, Log, Merge, MergeConflict, Page, Revert, proto,
};

use crate::call::{Entries, answer, as_many, done};
use crate::client::Client;

impl Client {
    /// Commits a branch's uncommitted changes.
    ///
    /// # Errors
    /// `nothing_to_commit`.
    pub async fn commit(&self, request: CommitBranch) -> Result<CommitInfo, Error> {
        let call = |request| async { self.commit_service().commit(request).await };
        done(self.mutate_long(proto::CommitRequest::from(request), call).await?)
    }

    /// Commits a tree that is in the repository's storage namespace as it is, onto a branch without uncommitted changes.
    ///
    /// # Errors
    /// `metarange_not_found`, `dirty_branch`, `protected_branch`.
    pub async fn commit_tree(&self, request: CommitTree) -> Result<CommitInfo, Error> {
        let call = |request| async { self.commit_service().commit_tree(request).await };
        done(self.mutate_long(proto::CommitTreeRequest::from(request), call).await?)
    }

    /// One commit.
    pub async fn get_commit(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
    ) -> Result<CommitInfo, Error> {
        let request = GetCommit { repository: repository.clone(), reference: reference.clone() };
        let call = |request| async { self.commit_service().get_commit(request).await };
        answer(self.read(proto::GetCommitRequest::from(request), call).await?)
    }

    /// History from a ref backwards, newest first.
    pub fn log(&self, request: Log) -> Entries<CommitInfo> {
        self.stream(proto::LogRequest::from(request), |client, request| async move {
            client.commit_service().log(request).await
        })
    }

    /// What differs between two refs, by path.
    pub fn diff(&self, request: Diff) -> Entries<DiffItem> {
        self.stream(proto::DiffRequest::from(request), |client, request| async move {
            client.commit_service().diff(request).await
        })
    }

    /// A page of what differs between two refs, by path.
    pub async fn list_diff(&self, request: ListDiff) -> Result<Page<DiffItem>, Error> {
        let call = |request| async { self.commit_service().list_diff(request).await };
        answer(self.read_long(proto::ListDiffRequest::from(request), call).await?)
    }

    /// A branch's uncommitted changes, by path.
    pub fn diff_branch(&self, request: DiffBranch) -> Entries<DiffItem> {
        self.stream(proto::DiffBranchRequest::from(request), |client, request| async move {
            client.commit_service().diff_branch(request).await
        })
    }

    /// Merges a ref into a branch.
    ///
    /// # Errors
    /// `dirty_branch`, `nothing_to_merge`, `merge_conflict`, `same_branch`, `no_merge_base`.
    pub async fn merge(&self, request: Merge) -> Result<CommitInfo, Error> {
        let call = |request| async { self.commit_service().merge(request).await };
        done(self.mutate_long(proto::MergeRequest::from(request), call).await?)
    }

    /// All paths on which a merge would conflict.
    pub fn list_merge_conflicts(&self, request: ListMergeConflicts) -> Entries<MergeConflict> {
        self.stream(proto::ListMergeConflictsRequest::from(request), |client, request| async move {
            client.commit_service().list_merge_conflicts(request).await
        })
    }

    /// Undoes a commit in a new one.
    ///
    /// # Errors
    /// `parent_required`, `merge_conflict`, `dirty_branch`, `nothing_to_commit`.
    pub async fn revert(&self, request: Revert) -> Result<CommitInfo, Error> {
        let call = |request| async { self.commit_service().revert(request).await };
        done(self.mutate_long(proto::RevertRequest::from(request), call).await?)
    }

    /// Does a commit again in a new one.
    ///
    /// # Errors
    /// `parent_required`, `merge_conflict`, `dirty_branch`, `nothing_to_commit`.
    pub async fn cherry_pick(&self, request: CherryPick) -> Result<CommitInfo, Error> {
        let call = |request| async { self.commit_service().cherry_pick(request).await };
        done(self.mutate_long(proto::CherryPickRequest::from(request), call).await?)
    }
    /// Commits, merges, hard resets and tags on any number of branches: all or none. Gives for each member the commit that it
    /// made or named.
    ///
    /// # Errors
    /// Those of the members; the message says which one failed. `limit_exceeded`.
    pub async fn commit_set(&self, request: CommitSet) -> Result<Vec<CommitInfo>, Error> {
        let asked = request.members.len();
        let call = |request| async { self.commit_service().commit_set(request).await };
        let commits = done(self.mutate_long(proto::CommitSetRequest::from(request), call).await?)?;
        as_many(asked, commits).map_err(Error::that_may_have_happened)
    }
}
