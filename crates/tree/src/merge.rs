//! Three-way merge of trees.
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::{Folded, RangeStore, Record, TreeError, TreeFormat, TreeId};

/// One of the two sides of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// What is merged.
    Source,
    /// What it is merged into.
    Dest,
}

/// What becomes of conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// They are listed, and nothing is merged.
    #[default]
    Refuse,
    /// The source's content is taken.
    SourceWins,
    /// The destination's content stays.
    DestWins,
}

/// What to merge, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merge {
    /// The common ancestor.
    pub base: TreeId,
    /// What is merged into.
    pub dest: TreeId,
    /// What is merged.
    pub source: TreeId,
    /// What becomes of conflicts.
    pub strategy: Strategy,
    /// What becomes of conflicts at these very paths, whatever the strategy.
    pub choices: BTreeMap<Bytes, Side>,
}

/// A path that both sides changed since the base, differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The path's raw bytes.
    pub key: Bytes,
    /// Its record in the base.
    pub base: Option<Record>,
    /// Its record in the destination.
    pub dest: Option<Record>,
    /// Its record in the source.
    pub source: Option<Record>,
}

/// What a merge came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeResult {
    /// The merged tree.
    Merged(Folded),
    /// Every conflict that is left, in key order. There is no merged tree.
    Conflicts(Vec<Conflict>),
}

/// Merges what `source` changed since `base` into `dest`. Where one side did not change at all the answer is the
/// other's tree, by id and with an empty summary.
pub async fn merge(
    _store: &Arc<dyn RangeStore>,
    _format: &TreeFormat,
    _merge: &Merge,
) -> Result<MergeResult, TreeError> {
    todo!()
}
