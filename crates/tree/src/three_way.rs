//! What a merge has to do, path by path.

use std::cmp::Ordering;

use crate::TreeError;
use crate::plan::{Interval, Plan};
use crate::run::{Run, skip_equal};

/// Of three trees that are gone through together, the one that is merged into. It is the first, so that intervals end
/// where its ranges begin.
pub(crate) const DEST: usize = 0;
/// The common ancestor.
pub(crate) const BASE: usize = 1;
/// What is merged.
pub(crate) const SOURCE: usize = 2;

/// Three trees, or what is theirs, in that order.
pub(crate) fn in_order<T>(base: T, dest: T, source: T) -> [T; 3] {
    [dest, base, source]
}

/// What is to be done with a path whose content in the source is neither the base's nor the destination's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// The destination did not change it: it becomes what the source has.
    TakeSource,
    /// The destination changed it to something else.
    Conflict,
}

/// Three runs that stand at one path.
pub(crate) struct Sides<'a> {
    runs: &'a [Run; 3],
    has: [bool; 3],
}

impl Sides<'_> {
    /// One side's run, if that side has the path.
    pub(crate) fn get(&self, side: usize) -> Option<&Run> {
        self.has[side].then_some(&self.runs[side])
    }

    /// A side that has the path.
    pub(crate) fn any(&self) -> &Run {
        let side = self.has.iter().position(|has| *has).expect("a path is on one side at least");
        &self.runs[side]
    }

    fn same(&self, one: usize, other: usize) -> bool {
        self.get(one).map(Run::identity) == self.get(other).map(Run::identity)
    }

    fn outcome(&self) -> Option<Outcome> {
        if self.same(SOURCE, BASE) || self.same(SOURCE, DEST) {
            return None;
        }
        match self.same(DEST, BASE) {
            true => Some(Outcome::TakeSource),
            false => Some(Outcome::Conflict),
        }
    }
}

/// Calls `step` at each path with which a merge has to do something, in key order.
pub(crate) fn three_way(
    mut runs: [Run; 3],
    mut step: impl FnMut(Outcome, &Sides<'_>) -> Result<(), TreeError>,
) -> Result<(), TreeError> {
    skip_unchanged(&mut runs)?;
    let [dest, base, source] = &mut runs;
    base.advance()?;
    source.advance()?;
    follow(dest, base, source)?;
    while let Some(has) = at_lowest(&runs) {
        let [dest, base, source] = &mut runs;
        if has == ONLY_DEST {
            if base.key().is_none() && source.key().is_none() {
                return Ok(());
            }
            follow(dest, base, source)?;
            continue;
        }
        let sides = Sides { runs: &runs, has };
        if let Some(outcome) = sides.outcome() {
            step(outcome, &sides)?;
        }
        if has[BASE] && has[SOURCE] {
            skip_unchanged(&mut runs)?;
        }
        for (run, has) in runs.iter_mut().zip(has) {
            if has {
                run.advance()?;
            }
        }
    }
    Ok(())
}

/// A path that only the destination has, with which a merge has nothing to do.
const ONLY_DEST: [bool; 3] = [true, false, false];

/// Steps to the first path of the destination that is not before those of the other two. Nothing is to be done with it before.
fn follow(dest: &mut Run, base: &Run, source: &Run) -> Result<(), TreeError> {
    let next = match compare_ends(base.key(), source.key()) {
        Ordering::Greater => source.key(),
        _ => base.key(),
    };
    next.map_or(Ok(false), |next| dest.advance_to(next)).map(drop)
}

/// Steps over what the source did not change. A path that only the destination has then takes no step, as none of
/// those that it shares with them would.
fn skip_unchanged(runs: &mut [Run; 3]) -> Result<(), TreeError> {
    let [_, base, source] = runs;
    skip_equal(base, source)
}

/// Which runs stand at the lowest key; `None` if all are at their ends.
fn at_lowest(runs: &[Run; 3]) -> Option<[bool; 3]> {
    let keys = [runs[0].key(), runs[1].key(), runs[2].key()];
    let (lowest, [first, second]) = match compare_ends(keys[0], keys[1]) {
        Ordering::Less => (keys[0], [true, false]),
        Ordering::Equal => (keys[0], [true, true]),
        Ordering::Greater => (keys[1], [false, true]),
    };
    match compare_ends(lowest, keys[2]) {
        Ordering::Less => Some([first, second, false]),
        Ordering::Equal => lowest.map(|_| [first, second, true]),
        Ordering::Greater => Some([false, false, true]),
    }
}

/// As keys are compared; the end of a run comes after all keys.
fn compare_ends(left: Option<&[u8]>, right: Option<&[u8]>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.cmp(right),
        (left, right) => left.is_none().cmp(&right.is_none()),
    }
}

/// Whether a merge leaves the destination as it is in an interval: the source changed nothing, or to the same.
pub(crate) fn keeps_dest(plan: &Plan<3>, interval: &Interval<3>) -> bool {
    plan.same(interval, SOURCE, BASE) || plan.same(interval, SOURCE, DEST)
}

/// Whether a merge takes the source as it is in an interval: the destination changed nothing.
pub(crate) fn takes_source(plan: &Plan<3>, interval: &Interval<3>) -> bool {
    plan.same(interval, DEST, BASE)
}
