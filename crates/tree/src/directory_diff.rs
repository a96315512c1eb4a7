//! What differs between two trees, directory by directory.

use std::sync::Arc;

use bytes::Bytes;

use crate::diff::compare;
use crate::plan::{Interval, Plan};
use crate::run::{Bounds, Recorder, Run};
use crate::scan::{Look, Scan};
use crate::{
    Changed, DifferenceKind, DirectoryQuery, Pool, PrefixChanges, RangeStore, RollUp, TreeError, TreeId,
    prefix_end,
};

/// Walks the differences of two trees in key order, rolled up by a delimiter.
///
/// Ranges that both trees have are not read, nor are ranges that lie under one common prefix with nothing of the other
/// tree beside them: their records are counted from the metarange. A common prefix is given as soon as it is known to
/// be complete. What is read ahead is bounded as in [`Diff`](crate::Diff).
pub struct DirectoryDiff {
    scan: Scan<2, Directories>,
    rolled: RollUp,
    /// Complete, and not given yet.
    ready: Option<Changed>,
    is_empty: bool,
}

impl DirectoryDiff {
    /// The items from `left` to `right`. Nothing is read yet.
    pub fn new(
        store: Arc<dyn RangeStore>,
        pool: &Pool,
        left: TreeId,
        right: TreeId,
        query: &DirectoryQuery,
    ) -> Self {
        let rolled = RollUp::new(query);
        let start = rolled.start();
        let is_empty = left == right || start.is_none();
        let mut scan = Scan::new(store, pool, [left, right], Directories(Arc::new(query.clone())));
        scan.restart(Bounds { from: start, until: prefix_end(&query.prefix) });
        Self { scan, rolled, ready: None, is_empty }
    }

    #[cfg(test)]
    pub(crate) fn within(mut self, limits: crate::limits::Limits) -> Self {
        self.scan.set_limits(limits);
        self
    }

    /// The next item. After an error there is no going on.
    pub async fn next(&mut self) -> Result<Option<Changed>, TreeError> {
        if self.is_empty {
            return Ok(None);
        }
        loop {
            if let Some(ready) = self.ready.take() {
                return Ok(Some(ready));
            }
            if self.scan.ready().is_empty() && self.is_complete().await? {
                return Ok(self.rolled.finish());
            }
            let Some(found) = self.scan.next().await? else {
                return Ok(self.rolled.finish());
            };
            let [prefix, path] = self.rolled.merge(found);
            self.ready = path;
            if prefix.is_some() {
                return Ok(prefix);
            }
        }
    }

    /// Whether there is a common prefix, and nothing under it can come any more.
    async fn is_complete(&mut self) -> Result<bool, TreeError> {
        let Some(prefix) = self.rolled.open() else {
            return Ok(false);
        };
        let next = self.scan.goes_on_at().await?;
        Ok(next.is_none_or(|next| !next.starts_with(prefix)))
    }
}

/// Looks for items. A common prefix may be found in several parts.
#[derive(Debug, Clone)]
struct Directories(Arc<DirectoryQuery>);

impl Directories {
    /// The only common prefix that a range is part of, if it has no path outside of it.
    fn only_prefix(&self, first: &Bytes, last: &Bytes) -> Option<Bytes> {
        self.0.common_prefix(first).filter(|prefix| last.starts_with(prefix))
    }
}

impl Look<2> for Directories {
    type Found = Changed;

    fn unread(&self, plan: &Plan<2>, interval: &Interval<2>) -> Option<Vec<Changed>> {
        let (range, kind) = match (plan.ranges(interval, 0), plan.ranges(interval, 1)) {
            ([range], []) => (range, DifferenceKind::Removed),
            ([], [range]) => (range, DifferenceKind::Added),
            _ => return None,
        };
        let prefix = self.only_prefix(&range.min_key, &range.max_key)?;
        if !interval.bounds.hold(range) {
            return None;
        }
        Some(vec![Changed::CommonPrefix(PrefixChanges::of(prefix, kind, range.count))])
    }

    fn look(&self, [left, right]: [Run; 2]) -> Result<Vec<Changed>, TreeError> {
        let (mut recorder, mut found) = (Recorder::default(), Vec::new());
        compare(left, right, |kind, left, right| {
            let key = if kind == DifferenceKind::Added { right } else { left }.key();
            let key = key.expect("the run stands at the difference");
            match found.last_mut() {
                Some(Changed::CommonPrefix(last)) if key.starts_with(&last.prefix) => last.count(kind, 1),
                _ => found.push(self.0.item(recorder.difference(kind, left, right)?)),
            }
            Ok(())
        })?;
        Ok(found)
    }
}
