//! Three-way merge of trees.

use std::collections::BTreeMap;
use std::sync::Arc;

use braid_types::Code;
use bytes::Bytes;
use futures::stream;

use crate::{
    Change, Folded, MergeStep, Outcome, Pool, RangeStore, Record, Summary, ThreeWay, TreeError, TreeFormat,
    TreeId, fold,
};

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
    /// The merged tree. The summary counts from the destination.
    Merged(Folded),
    /// Every conflict that is left, in key order. There is no merged tree.
    Conflicts(Vec<Conflict>),
}

/// Merges what `source` changed since `base` into `dest`. Where one side did not change at all the answer is the
/// other's tree, by id, with nothing read and an empty summary. Where both have the same content the destination's
/// record stays.
///
/// # Errors
/// Those of [`fold()`]. Ranges that were written before an error, or before the first conflict, stay in the store.
pub async fn merge(
    store: &Arc<dyn RangeStore>,
    pool: &Pool,
    format: &TreeFormat,
    merge: &Merge,
) -> Result<MergeResult, TreeError> {
    if let Some(tree) = known_result(merge) {
        return Ok(MergeResult::Merged(Folded { tree, summary: Summary::default() }));
    }
    let steps = ThreeWay::new(Arc::clone(store), merge.base, merge.dest, merge.source);
    let mut resolver = Resolver { steps, merge, conflicts: Vec::new() };
    let changes = Box::pin(stream::try_unfold(&mut resolver, async |resolver| {
        Ok(resolver.next().await?.map(|change| (change, resolver)))
    }));
    let folded = fold(store, pool, format, merge.dest, changes).await;
    match folded {
        Err(error) if error == has_conflicts() => Ok(MergeResult::Conflicts(resolver.conflicts)),
        folded => Ok(MergeResult::Merged(folded?)),
    }
}

fn known_result(merge: &Merge) -> Option<TreeId> {
    if merge.source == merge.base || merge.source == merge.dest {
        return Some(merge.dest);
    }
    (merge.dest == merge.base).then_some(merge.source)
}

/// Turns the steps of a merge into the changes of the destination.
struct Resolver<'a> {
    steps: ThreeWay,
    merge: &'a Merge,
    conflicts: Vec<Conflict>,
}

impl Resolver<'_> {
    /// The next change.
    ///
    /// # Errors
    /// [`has_conflicts`] once all conflicts are found, if there is any.
    async fn next(&mut self) -> Result<Option<Change>, TreeError> {
        while let Some(step) = self.steps.next().await? {
            match self.winner(&step) {
                Some(Side::Dest) => {}
                Some(Side::Source) if self.conflicts.is_empty() => return Ok(Some(change(step))),
                Some(Side::Source) => {}
                None => self.conflicts.push(conflict(step)),
            }
        }
        match self.conflicts.is_empty() {
            true => Ok(None),
            false => Err(has_conflicts()),
        }
    }

    /// Whose content the path gets; `None` if that is not decided.
    fn winner(&self, step: &MergeStep) -> Option<Side> {
        if step.outcome == Outcome::TakeSource {
            return Some(Side::Source);
        }
        let choice = self.merge.choices.get(&step.key).copied();
        choice.or(match self.merge.strategy {
            Strategy::Refuse => None,
            Strategy::SourceWins => Some(Side::Source),
            Strategy::DestWins => Some(Side::Dest),
        })
    }
}

/// Ends the fold of a merge that has conflicts.
fn has_conflicts() -> TreeError {
    braid_types::Error::new(Code::MergeConflict, "merge", "both sides changed the same paths").into()
}

fn change(step: MergeStep) -> Change {
    Change { key: step.key, value: step.source.map(|record| record.value) }
}

fn conflict(step: MergeStep) -> Conflict {
    let MergeStep { key, base, dest, source, .. } = step;
    Conflict { key, base, dest, source }
}
