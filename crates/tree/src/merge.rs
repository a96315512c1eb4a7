//! Three-way merge of trees.
//!
//! The intervals of keys in which the trees differ are found out from their metaranges. Where only the destination
//! differs from the base its ranges stay, and where only the source does its ranges are taken, unread. What is left is
//! looked into interval by interval, side by side: the three sides are compared path by path, and what the source
//! changed is folded into the destination's ranges.

mod jobs;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::{future, stream};

use crate::fold::Assembly;
use crate::limits::Limits;
use crate::three_way::in_order;
use crate::{Folded, Pool, RangeStore, Record, Summary, TreeError, TreeFormat, TreeId, open_tree};
use jobs::Jobs;

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
    /// The merged tree. The summary counts what changed from the destination, but not within ranges of the source that
    /// were taken unread.
    Merged(Folded),
    /// Every conflict that is left, in key order. There is no merged tree.
    Conflicts(Vec<Conflict>),
}

/// Merges what `source` changed since `base` into `dest`. Where one side did not change at all the answer is the
/// other's tree, by id, with nothing read and an empty summary. Where both have the same content the destination's
/// record stays, or the source's in ranges that are taken whole.
///
/// Conflicts are all listed; [`Conflicts`](crate::Conflicts) gives them as a stream. What is in memory at a time is
/// bounded as in [`fold()`](crate::fold()), for each of the three trees; the list of conflicts is not.
///
/// # Errors
/// Those of [`fold()`](crate::fold()). Ranges that were written before an error, or before the first conflict, stay in the store;
/// after the first conflict nothing more is written.
pub async fn merge(
    store: &Arc<dyn RangeStore>,
    pool: &Pool,
    format: &TreeFormat,
    merge: &Merge,
) -> Result<MergeResult, TreeError> {
    merge_within(Limits::of_fold(pool), store, pool, format, merge).await
}

/// As [`merge()`], with other limits.
pub(crate) async fn merge_within(
    limits: Limits,
    store: &Arc<dyn RangeStore>,
    pool: &Pool,
    format: &TreeFormat,
    merge: &Merge,
) -> Result<MergeResult, TreeError> {
    if let Some(tree) = known_result(merge) {
        return Ok(MergeResult::Merged(Folded { tree, summary: Summary::default() }));
    }
    let open = |tree| open_tree(&**store, tree);
    let (base, dest, source) =
        future::try_join3(open(merge.base), open(merge.dest), open(merge.source)).await?;
    let mut assembly = Assembly::new(store, pool, format, (merge.dest, Arc::clone(&dest)), limits);
    let mut jobs = Jobs::new(store, pool, format, in_order(base, dest, source), limits, merge);
    assembly.add_all(stream::iter(jobs.by_ref().map(Ok))).await?;
    match assembly.finish(jobs.opened()).await? {
        Ok(folded) => Ok(MergeResult::Merged(folded)),
        Err(conflicts) => Ok(MergeResult::Conflicts(conflicts)),
    }
}

fn known_result(merge: &Merge) -> Option<TreeId> {
    if merge.source == merge.base || merge.source == merge.dest {
        return Some(merge.dest);
    }
    (merge.dest == merge.base).then_some(merge.source)
}
