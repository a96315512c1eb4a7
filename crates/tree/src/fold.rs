//! From a tree and changes to a tree.
//!
//! The base's ranges that changes touch, and changes that lie between them, are cut into units ([`cut`]). Units are
//! folded side by side, each for itself: a range without effective changes is reused by its id, of any other the
//! records and the changes are merged into ranges that end where the format says ([`mod@unit`]). What they make is then
//! put together in key order ([`stitch`]), so that the new tree breaks where [`build`] would break it, however the
//! work was cut.

mod assembly;
mod cut;
mod foreign;
mod piece;
mod stitch;
mod unit;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::FutureExt;
use futures::{Stream, StreamExt, ready};

pub(crate) use assembly::{Assembly, Job, Segment};
pub(crate) use piece::{Piece, Reused};
pub(crate) use unit::{Unit, fold_unit};

use crate::changes::check_order;
use crate::limits::Limits;
use crate::opener::Opener;
use crate::{Change, Metarange, Pool, RangeStore, Record, TreeError, TreeFormat, TreeId, open_tree};
use cut::{Cut, Cutter};

/// A written tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folded {
    /// The tree.
    pub tree: TreeId,
    /// What it took.
    pub summary: Summary,
}

/// What a fold changed, read and wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Paths that the base did not have.
    pub added: u64,
    /// Paths whose content is another now.
    pub changed: u64,
    /// Paths that are gone.
    pub removed: u64,
    /// Ranges of the base that were read.
    pub ranges_read: u64,
    /// Ranges that were written.
    pub ranges_written: u64,
    /// Ranges of the base that are part of the new tree as they were.
    pub ranges_reused: u64,
    /// Ranges of the source of a merge that are part of the new tree as they were.
    pub ranges_taken: u64,
    /// Bytes of all files written.
    pub bytes_written: u64,
}

impl Summary {
    /// Whether the new tree is the base.
    pub fn is_unchanged(&self) -> bool {
        self.added + self.changed + self.removed == 0
    }
}

/// Applies changes, in strictly ascending key order, to a tree.
///
/// A put of the content that the base has keeps the base's record. Changes without any effect give the base's own id,
/// and nothing is written. A tree that was built in this format comes out as [`build`] would write it; one that breaks
/// elsewhere keeps the ends of its ranges.
///
/// Memory does not grow with the tree or the changes, but for the trees' descriptors: at a time there are units in
/// memory, one for each thread of the pool and two more, each of at most 8 MiB of records of ranges and changes (up to
/// four times that where changes are dense), the ranges that they make, and up to 8 ranges on their way to the store.
///
/// # Errors
/// [`TreeError::Unordered`] if the changes are not in order; those of the stream and the store. Ranges that were
/// written by then stay in the store.
pub async fn fold(
    store: &Arc<dyn RangeStore>,
    pool: &Pool,
    format: &TreeFormat,
    base: TreeId,
    changes: impl Stream<Item = Result<Change, TreeError>> + Send + Unpin,
) -> Result<Folded, TreeError> {
    fold_within(Limits::of_fold(pool), store, pool, format, base, changes).await
}

/// Writes the tree of these records, which come in strictly ascending key order.
///
/// # Errors
/// As [`fold`].
pub async fn build(
    store: &Arc<dyn RangeStore>,
    pool: &Pool,
    format: &TreeFormat,
    records: impl Stream<Item = Result<Record, TreeError>> + Send + Unpin,
) -> Result<Folded, TreeError> {
    fold(store, pool, format, None, records.map(|record| record.map(Change::from))).await
}

/// As [`fold`], with other limits.
pub(crate) async fn fold_within(
    limits: Limits,
    store: &Arc<dyn RangeStore>,
    pool: &Pool,
    format: &TreeFormat,
    base: TreeId,
    changes: impl Stream<Item = Result<Change, TreeError>> + Send + Unpin,
) -> Result<Folded, TreeError> {
    let metarange = open_tree(&**store, base).await?;
    let mut jobs = Jobs {
        changes,
        last_key: None,
        cutter: Some(Cutter::new(Arc::clone(&metarange), *format, limits.ramp())),
        opener: Opener::new(Arc::clone(store)),
        base: Arc::clone(&metarange),
        pool: pool.clone(),
        format: *format,
        has_begun: false,
    };
    let mut assembly = Assembly::new(store, pool, format, (base, metarange), limits);
    assembly.add_all(&mut jobs).await?;
    let folded = assembly.finish(jobs.opener.opened()).await?;
    Ok(folded.expect("changes of one tree do not conflict"))
}

/// Cuts a stream of changes into jobs.
struct Jobs<S> {
    changes: S,
    last_key: Option<Bytes>,
    /// `None` once all changes are cut.
    cutter: Option<Cutter>,
    opener: Opener,
    base: Arc<Metarange>,
    pool: Pool,
    format: TreeFormat,
    has_begun: bool,
}

impl<S> Stream for Jobs<S>
where
    S: Stream<Item = Result<Change, TreeError>> + Unpin,
{
    type Item = Result<Job, TreeError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let jobs = &mut *self;
        while let Some(cutter) = &mut jobs.cutter {
            let cut = match ready!(jobs.changes.poll_next_unpin(context)).transpose()? {
                Some(change) => {
                    let last_key = jobs.last_key.replace(change.key.clone());
                    last_key.map_or(Ok(()), |last| check_order(&last, &change.key))?;
                    cutter.push(change)
                }
                None => jobs.cutter.take().and_then(Cutter::finish),
            };
            if let Some(cut) = cut {
                return Poll::Ready(Some(Ok(jobs.job(cut))));
            }
        }
        Poll::Ready(None)
    }
}

impl<S> Jobs<S> {
    fn job(&mut self, cut: Cut) -> Job {
        let Cut { bounds, ranges, changes } = cut;
        let opening = self.opener.open([&self.base.ranges()[ranges.clone()]]);
        let has_last = ranges.end == self.base.ranges().len();
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let (pool, format, checkpoints) =
            (self.pool.clone(), self.format, Arc::clone(self.pool.checkpoints()));
        async move {
            let [opened] = opening.await?;
            let bytes = opened.iter().map(|opened| opened.range.size).sum();
            let unit = Unit { bounds, ranges: opened, has_last, changes };
            let output =
                pool.run_over(bytes, is_first, move || fold_unit(format, &checkpoints, unit)).await?;
            Ok(Segment { base: ranges, pieces: output.pieces, effect: output.effect, conflicts: Vec::new() })
        }
        .boxed()
    }
}
