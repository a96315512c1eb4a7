//! Merges and what is made of them: conflicts, revert, cherry-pick.

use std::collections::BTreeMap;

use braid_types::{BranchName, ObjectPath, RefExpression, RepositoryName};

use crate::field::{enumeration, message};
use crate::object::Object;
use crate::page::batch;

/// What a merge does with paths that both sides changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum MergeStrategy {
    /// Refuses.
    #[default]
    Refuse,
    /// Takes the source's.
    SourceWins,
    /// Keeps the destination's.
    DestinationWins,
}

/// Merges a ref into a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Where.
    pub repository: RepositoryName,
    /// What to merge.
    pub source: RefExpression,
    /// The branch to merge into.
    pub destination: BranchName,
    /// What to do with conflicts.
    pub strategy: MergeStrategy,
    /// What to say of it; the server writes a text if it is not given.
    pub message: Option<String>,
    /// Keys and values to go with it.
    pub metadata: BTreeMap<String, String>,
    /// Whether the commit has the destination's head as its only parent.
    pub squash: bool,
    /// Whether to merge also when the source changed nothing.
    pub allow_empty: bool,
}

/// Asks on which paths a merge would conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMergeConflicts {
    /// Where.
    pub repository: RepositoryName,
    /// What to merge.
    pub source: RefExpression,
    /// The branch to merge into.
    pub destination: BranchName,
}

/// A path that both sides changed, each in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeConflict {
    /// The path.
    pub path: ObjectPath,
    /// What the merge base has there.
    pub base: Option<Object>,
    /// What the source has there.
    pub source: Option<Object>,
    /// What the destination has there.
    pub destination: Option<Object>,
}

/// Undoes a commit in a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    /// Where.
    pub repository: RepositoryName,
    /// The branch to commit to.
    pub branch: BranchName,
    /// The commit to undo.
    pub reference: RefExpression,
    /// Which parent to compare with, counted from 1; a merge commit needs one.
    pub parent_number: Option<u32>,
    /// Whether to commit also when nothing changes.
    pub allow_empty: bool,
    /// What to say of it; the server writes a text if it is not given.
    pub message: Option<String>,
    /// Keys and values to go with it.
    pub metadata: BTreeMap<String, String>,
}

/// Does a commit again in a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CherryPick {
    /// Where.
    pub repository: RepositoryName,
    /// The branch to commit to.
    pub branch: BranchName,
    /// The commit to do again.
    pub reference: RefExpression,
    /// Which parent to compare with, counted from 1; a merge commit needs one.
    pub parent_number: Option<u32>,
    /// What to say of it; the picked commit's own if it is not given.
    pub message: Option<String>,
    /// Keys and values to add to the picked commit's own.
    pub metadata: BTreeMap<String, String>,
}

message!(Merge = MergeRequest {
    repository,
    source,
    destination,
    strategy,
    message,
    metadata,
    squash,
    allow_empty,
} mutation);
message!(ListMergeConflicts = ListMergeConflictsRequest { repository, source, destination });
message!(MergeConflict = MergeConflict { path, base: optional, source: optional, destination: optional });
message!(Revert = RevertRequest {
    repository,
    branch,
    reference,
    parent_number,
    allow_empty,
    message,
    metadata,
} mutation);
message!(CherryPick = CherryPickRequest {
    repository,
    branch,
    reference,
    parent_number,
    message,
    metadata,
} mutation);
batch!(MergeConflict = ListMergeConflictsResponse.conflicts);
enumeration!(MergeStrategy = MergeStrategy {
    Unspecified => Refuse,
    SourceWins => SourceWins,
    DestinationWins => DestinationWins,
});
