//! The diff of a tree against another tree with staged changes on top.
//!
//! Two diffs are put one after the other: from the left tree to the branch's base, which skips equal ranges, and from
//! the base to the staged changes. A path in both goes from the first one's left to the second one's right.

use braid_tree::{Diff, Difference, DifferenceKind, Pending, Record, TreeError};

use super::fold::Changes;

/// Differences from a tree to staged changes over another tree.
pub(super) struct StagedDiff {
    below: Diff,
    above: Pending<Changes>,
    next_below: Option<Difference>,
    next_above: Option<Difference>,
}

impl StagedDiff {
    pub(super) fn new(below: Diff, above: Pending<Changes>) -> Self {
        Self { below, above, next_below: None, next_above: None }
    }

    /// The next difference.
    pub(super) async fn next(&mut self) -> Result<Option<Difference>, TreeError> {
        loop {
            if self.next_below.is_none() {
                self.next_below = self.below.next().await?;
            }
            if self.next_above.is_none() {
                self.next_above = self.above.next().await?;
            }
            let (below, above) = self.take_least();
            match (below, above) {
                (Some(below), Some(above)) => {
                    if let Some(difference) = between(below, above) {
                        return Ok(Some(difference));
                    }
                }
                (below, above) => return Ok(below.or(above)),
            }
        }
    }

    /// The differences of the least path, taken out.
    fn take_least(&mut self) -> (Option<Difference>, Option<Difference>) {
        let order = match (&self.next_below, &self.next_above) {
            (Some(below), Some(above)) => below.key.cmp(&above.key),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, _) => std::cmp::Ordering::Greater,
        };
        let below = if order.is_le() { self.next_below.take() } else { None };
        let above = if order.is_ge() { self.next_above.take() } else { None };
        (below, above)
    }
}

fn between(below: Difference, above: Difference) -> Option<Difference> {
    let (left, right) = (below.left, above.right);
    let kind = match (&left, &right) {
        (None, None) => return None,
        (None, Some(_)) => DifferenceKind::Added,
        (Some(_), None) => DifferenceKind::Removed,
        (Some(left), Some(right)) if Record::identity(left) == right.identity() => return None,
        (Some(_), Some(_)) => DifferenceKind::Changed,
    };
    Some(Difference { key: above.key, kind, left, right })
}
