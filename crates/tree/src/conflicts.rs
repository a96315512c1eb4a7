//! The conflicts of a merge, as a stream.

use std::sync::Arc;

use crate::plan::{Interval, Plan};
use crate::run::{Bounds, Recorder, Run};
use crate::scan::{Look, Scan};
use crate::three_way::{BASE, DEST, Outcome, SOURCE, Sides, in_order, keeps_dest, takes_source, three_way};
use crate::{Conflict, Pool, RangeStore, TreeError, TreeId, key_after};

/// Walks the paths that both sides changed since the base, differently, in key order.
///
/// Where one side has the base's ranges, or both have the same, nothing is read. What is read ahead is bounded as in
/// [`Diff`](crate::Diff).
pub struct Conflicts(Scan<3, LookForConflicts>);

impl Conflicts {
    /// All conflicts of merging `source` into `dest`. Nothing is read yet.
    pub fn new(store: Arc<dyn RangeStore>, pool: &Pool, base: TreeId, dest: TreeId, source: TreeId) -> Self {
        Self(Scan::new(store, pool, in_order(base, dest, source), LookForConflicts))
    }

    /// Only conflicts of paths after this one.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        self.0.restart(Bounds { from: Some(key_after(key)), until: None });
        self
    }

    #[cfg(test)]
    pub(crate) fn within(mut self, limits: crate::limits::Limits) -> Self {
        self.0.set_limits(limits);
        self
    }

    /// The next conflict. After an error there is no going on.
    pub async fn next(&mut self) -> Result<Option<Conflict>, TreeError> {
        self.0.next().await
    }
}

#[derive(Debug, Clone, Copy)]
struct LookForConflicts;

impl Look<3> for LookForConflicts {
    type Found = Conflict;

    fn unread(&self, plan: &Plan<3>, interval: &Interval<3>) -> Option<Vec<Conflict>> {
        (keeps_dest(plan, interval) || takes_source(plan, interval)).then(Vec::new)
    }

    fn look(&self, runs: [Run; 3]) -> Result<Vec<Conflict>, TreeError> {
        let (mut recorder, mut found) = (Recorder::default(), Vec::new());
        three_way(runs, |outcome, sides| {
            if outcome == Outcome::Conflict {
                found.push(recorder.conflict(sides)?);
            }
            Ok(())
        })?;
        Ok(found)
    }
}

impl Recorder {
    /// The conflict at which the three sides of a merge stand.
    pub(crate) fn conflict(&mut self, sides: &Sides<'_>) -> Result<Conflict, TreeError> {
        let key = self.key(sides.any());
        let mut record = |side| sides.get(side).map(|run| self.record(&key, run)).transpose();
        let (base, dest, source) = (record(BASE)?, record(DEST)?, record(SOURCE)?);
        Ok(Conflict { key, base, dest, source })
    }
}
