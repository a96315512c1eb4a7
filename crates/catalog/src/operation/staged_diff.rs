//! The diff of a tree against another tree with staged changes on top.
//!
//! Two diffs are put one over the other: from the left tree to the branch's base, which skips what is equal, and from the
//! base to the staged changes. A path in both goes from the first one's left to the second one's right. A common prefix
//! that only the trees differ under is taken from their diff as it is; one that staged changes are under as well is
//! looked into path by path.

use std::cmp::Ordering;
use std::sync::Arc;

use braid_tree::{
    Changed, Diff, Difference, DirectoryDiff, DirectoryQuery, Pending, Pool, RangeStore, RollUp, TreeError,
    TreeId,
};
use bytes::Bytes;

use crate::view::Changes;

/// Two trees, the left one of the diff and the one below the staged changes.
pub(super) struct Trees {
    pub(super) ranges: Arc<dyn RangeStore>,
    pub(super) pool: Pool,
    pub(super) left: TreeId,
    pub(super) base: TreeId,
}

/// Differences from a tree to staged changes over another tree, rolled up.
pub(super) struct StagedDiff {
    trees: Trees,
    prefix: Bytes,
    below: DirectoryDiff,
    above: Above,
    next_below: Option<Changed>,
    /// Takes the differences that are only staged.
    rolled: RollUp,
    /// Items that are complete, the next one last.
    ready: Vec<Changed>,
}

/// What is staged, compared with what it hides.
struct Above {
    /// `None` if no item can come from it.
    pending: Option<Pending<Changes>>,
    next: Option<Difference>,
}

impl StagedDiff {
    /// The items of `query`; `changes` gives what is staged from a path on.
    pub(super) fn new(trees: Trees, query: &DirectoryQuery, changes: impl FnOnce(&[u8]) -> Changes) -> Self {
        let rolled = RollUp::new(query);
        let pending =
            rolled.start().map(|start| Pending::new(Arc::clone(&trees.ranges), trees.base, changes(&start)));
        let below = DirectoryDiff::new(Arc::clone(&trees.ranges), &trees.pool, trees.left, trees.base, query);
        let (prefix, above) = (query.prefix.clone(), Above { pending, next: None });
        Self { trees, prefix, below, above, next_below: None, rolled, ready: Vec::new() }
    }

    /// The next item.
    pub(super) async fn next(&mut self) -> Result<Option<Changed>, TreeError> {
        loop {
            if let Some(ready) = self.ready.pop() {
                return Ok(Some(ready));
            }
            if self.next_below.is_none() {
                self.next_below = self.below.next().await?;
            }
            let staged = self.above.peek(&self.prefix).await?;
            match (self.next_below.take(), staged) {
                (None, None) => return Ok(self.rolled.finish()),
                (None, Some(_)) => self.roll_staged(),
                (Some(below), Some(key)) if place(&key, &below) == Place::Before => {
                    self.next_below = Some(below);
                    self.roll_staged();
                }
                (Some(below), Some(key)) if place(&key, &below) == Place::In => {
                    let before = self.rolled.finish();
                    let composed = self.compose(below).await?;
                    self.ready.extend(composed.into_iter().chain(before));
                }
                (Some(below), _) => {
                    let before = self.rolled.finish();
                    self.ready.extend(std::iter::once(below).chain(before));
                }
            }
        }
    }

    /// Rolls up a change of what no tree differs in.
    fn roll_staged(&mut self) {
        let items = self.rolled.add(self.above.take());
        self.ready.extend(items.into_iter().flatten().rev());
    }

    /// What becomes of an item of the trees that staged changes are in.
    async fn compose(&mut self, below: Changed) -> Result<Option<Changed>, TreeError> {
        match below {
            Changed::Path(below) => {
                let above = self.above.take();
                Ok(Difference::between(below.left, above.right).map(Changed::Path))
            }
            Changed::CommonPrefix(changes) => self.compose_under(changes.prefix).await,
        }
    }

    /// Counts the paths under a common prefix one by one.
    async fn compose_under(&mut self, prefix: Bytes) -> Result<Option<Changed>, TreeError> {
        let Trees { ranges, pool, left, base } = &self.trees;
        let mut below = Diff::new(Arc::clone(ranges), pool, *left, *base).under(&prefix);
        let mut next_below = below.next().await?;
        loop {
            let staged = self.above.peek(&prefix).await?;
            let order = match (&next_below, &staged) {
                (None, None) => return Ok(self.rolled.finish()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(below), Some(staged)) => below.key.cmp(staged),
            };
            let above = order.is_ge().then(|| self.above.take());
            let taken = if order.is_le() { next_below.take() } else { None };
            if taken.is_some() {
                next_below = below.next().await?;
            }
            let difference = match (taken, above) {
                (Some(below), Some(above)) => Difference::between(below.left, above.right),
                (below, above) => below.or(above),
            };
            // All of them are of the one prefix, so none completes an item.
            difference.map(|difference| self.rolled.add(difference));
        }
    }
}

impl Above {
    /// The path of the next difference, if it begins with `prefix`.
    async fn peek(&mut self, prefix: &[u8]) -> Result<Option<Bytes>, TreeError> {
        if self.next.is_none()
            && let Some(pending) = &mut self.pending
        {
            self.next = pending.next().await?;
        }
        Ok(self.next.as_ref().map(|next| next.key.clone()).filter(|key| key.starts_with(prefix)))
    }

    fn take(&mut self) -> Difference {
        self.next.take().expect("it was peeked at")
    }
}

#[derive(PartialEq)]
enum Place {
    Before,
    In,
    After,
}

/// Where a path is, seen from an item of the trees.
fn place(key: &Bytes, item: &Changed) -> Place {
    let is_in = match item {
        Changed::Path(difference) => difference.key == *key,
        Changed::CommonPrefix(changes) => key.starts_with(&changes.prefix),
    };
    match is_in {
        true => Place::In,
        false if key < item.name() => Place::Before,
        false => Place::After,
    }
}
