//! The work of a merge, interval by interval.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::{self, FutureExt};

use super::{Merge, Side, Strategy};
use crate::checkpoints::Checkpoints;
use crate::fold::{Job, Piece, Reused, Segment, Unit, fold_unit};
use crate::limits::Limits;
use crate::opener::Opener;
use crate::plan::{Interval, Plan};
use crate::run::{Bounds, Opened, Recorder, Run};
use crate::three_way::{DEST, Outcome, SOURCE, Sides, keeps_dest, takes_source, three_way};
use crate::{Change, Conflict, Metarange, Pool, RangeStore, TreeError, TreeFormat};

/// Gives the jobs of a merge, in key order.
pub(super) struct Jobs {
    plan: Plan<3>,
    trees: [Arc<Metarange>; 3],
    opener: Opener,
    pool: Pool,
    task: Arc<Task>,
    has_begun: bool,
}

/// What all jobs of a merge share.
struct Task {
    format: TreeFormat,
    checkpoints: Arc<Checkpoints>,
    merge: Merge,
    /// Whether there is a conflict already: then only conflicts are still looked for.
    has_conflicts: AtomicBool,
}

impl Jobs {
    pub(super) fn new(
        store: &Arc<dyn RangeStore>,
        pool: &Pool,
        format: &TreeFormat,
        trees: [Arc<Metarange>; 3],
        limits: Limits,
        merge: &Merge,
    ) -> Self {
        let task = Task {
            format: *format,
            checkpoints: Arc::clone(pool.checkpoints()),
            merge: merge.clone(),
            has_conflicts: AtomicBool::new(false),
        };
        Self {
            plan: Plan::new(trees.clone(), Bounds::default(), limits.ramp()),
            trees,
            opener: Opener::new(Arc::clone(store)),
            pool: pool.clone(),
            task: Arc::new(task),
            has_begun: false,
        }
    }

    /// How many ranges the store was asked for.
    pub(super) fn opened(&self) -> u64 {
        self.opener.opened()
    }

    fn job(&mut self, interval: Interval<3>) -> Job {
        let opening = self.opener.open::<3>(std::array::from_fn(|tree| self.plan.ranges(&interval, tree)));
        let has_last = interval.ranges[DEST].end == self.trees[DEST].ranges().len();
        let (pool, task) = (self.pool.clone(), Arc::clone(&self.task));
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        async move {
            let opened = opening.await?;
            let bytes = opened[DEST].iter().map(|opened| opened.range.size).sum();
            let mut segment =
                pool.run_over(bytes, is_first, move || task.merge(opened, interval.bounds, has_last)).await?;
            segment.base = interval.ranges[DEST].clone();
            Ok(segment)
        }
        .boxed()
    }

    /// The source's ranges in place of the destination's.
    fn taken(&self, interval: &Interval<3>) -> Segment {
        let last = self.trees[SOURCE].ranges().len();
        let numbers = interval.ranges[SOURCE].clone();
        let ranges = numbers.clone().zip(self.plan.ranges(interval, SOURCE));
        let pieces = ranges.map(|(number, range)| {
            Piece::Reused(Reused { is_taken: true, ..Reused::whole(range.clone(), number + 1 == last) })
        });
        Segment { base: interval.ranges[DEST].clone(), pieces: pieces.collect(), ..Segment::default() }
    }
}

impl Iterator for Jobs {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        loop {
            let interval = self.plan.next()?;
            match interval.is_whole() {
                true if keeps_dest(&self.plan, &interval) => {}
                true if takes_source(&self.plan, &interval) => {
                    return Some(future::ok(self.taken(&interval)).boxed());
                }
                _ => return Some(self.job(interval)),
            }
        }
    }
}

impl Task {
    /// Compares the sides, and folds what the source changed into the destination's ranges.
    fn merge(&self, opened: [Vec<Opened>; 3], bounds: Bounds, has_last: bool) -> Result<Segment, TreeError> {
        let ranges = opened[DEST].clone();
        let (changes, conflicts) = self.resolve(opened.map(|opened| Run::new(opened, bounds.clone())))?;
        if !conflicts.is_empty() {
            self.has_conflicts.store(true, Ordering::Relaxed);
        }
        if self.has_conflicts.load(Ordering::Relaxed) {
            return Ok(Segment { conflicts, ..Segment::default() });
        }
        let output = fold_unit(self.format, &self.checkpoints, Unit { bounds, ranges, has_last, changes })?;
        Ok(Segment { pieces: output.pieces, effect: output.effect, ..Segment::default() })
    }

    /// What is to be changed in the destination, and what is not decided.
    fn resolve(&self, runs: [Run; 3]) -> Result<(Vec<Change>, Vec<Conflict>), TreeError> {
        let (mut recorder, mut changes, mut conflicts) = (Recorder::default(), Vec::new(), Vec::new());
        three_way(runs, |outcome, sides| {
            match self.winner(outcome, sides) {
                Some(Side::Dest) => {}
                Some(Side::Source) => changes.push(recorder.change(sides)?),
                None => conflicts.push(recorder.conflict(sides)?),
            }
            Ok(())
        })?;
        Ok((changes, conflicts))
    }

    /// Whose content the path gets; `None` if that is not decided.
    fn winner(&self, outcome: Outcome, sides: &Sides<'_>) -> Option<Side> {
        if outcome == Outcome::TakeSource {
            return Some(Side::Source);
        }
        let choice = sides.any().key().and_then(|key| self.merge.choices.get(key).copied());
        choice.or(match self.merge.strategy {
            Strategy::Refuse => None,
            Strategy::SourceWins => Some(Side::Source),
            Strategy::DestWins => Some(Side::Dest),
        })
    }
}

impl Recorder {
    /// The change that makes a path what it is in the source.
    fn change(&mut self, sides: &Sides<'_>) -> Result<Change, TreeError> {
        let key = self.key(sides.any());
        let record = sides.get(SOURCE).map(|run| self.record(&key, run)).transpose()?;
        Ok(Change { key, value: record.map(|record| record.value) })
    }
}
