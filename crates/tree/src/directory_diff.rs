//! What differs between two trees, directory by directory.

use std::sync::Arc;

use bytes::Bytes;

use crate::list::{common_prefix, start};
use crate::{Diff, Difference, DifferenceKind, ListQuery, Pool, RangeStore, TreeError, TreeId};

/// Which differences, and how they are rolled up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryQuery {
    /// Only paths that begin so.
    pub prefix: Bytes,
    /// Paths with this behind the prefix are counted together, up to and with the first one. An empty one is none.
    pub delimiter: Bytes,
    /// Only items (paths, or common prefixes as they are listed) that come after this.
    pub after: Option<Bytes>,
}

/// One item of a diff by directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// A path that differs.
    Path(Difference),
    /// Differing paths that begin alike.
    CommonPrefix(PrefixChanges),
}

/// How many paths under a prefix differ. Not all three are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixChanges {
    /// What the paths begin with: it ends with the delimiter.
    pub prefix: Bytes,
    /// Paths that only the right side has.
    pub added: u64,
    /// Paths that only the left side has.
    pub removed: u64,
    /// Paths whose content differs.
    pub changed: u64,
}

impl Changed {
    /// What the item is listed as: the path or the common prefix.
    pub fn name(&self) -> &Bytes {
        match self {
            Self::Path(difference) => &difference.key,
            Self::CommonPrefix(changes) => &changes.prefix,
        }
    }
}

/// Rolls differences, which come in key order, up into items.
#[derive(Debug)]
pub struct RollUp {
    query: ListQuery,
    open: Option<PrefixChanges>,
}

impl RollUp {
    /// For differences within the query's prefix and behind its `after`.
    pub fn new(query: &DirectoryQuery) -> Self {
        let DirectoryQuery { prefix, delimiter, after } = query.clone();
        Self { query: ListQuery { prefix, delimiter: Some(delimiter), after, limit: usize::MAX }, open: None }
    }

    /// The first key whose difference may be part of the first item; `None` if there can be no item.
    pub fn start(&self) -> Option<Bytes> {
        start(&self.query)
    }

    /// Takes the next difference. Gives the items that are complete with it: a common prefix, then a path.
    pub fn add(&mut self, difference: Difference) -> [Option<Changed>; 2] {
        let Some(prefix) = common_prefix(&difference.key, &self.query) else {
            return [self.finish(), Some(Changed::Path(difference))];
        };
        let done = match &self.open {
            Some(open) if open.prefix == prefix => None,
            _ => self.finish(),
        };
        let open = self.open.get_or_insert(PrefixChanges { prefix, added: 0, removed: 0, changed: 0 });
        match difference.kind {
            DifferenceKind::Added => open.added += 1,
            DifferenceKind::Removed => open.removed += 1,
            DifferenceKind::Changed => open.changed += 1,
        }
        [done, None]
    }

    /// Gives the last item, if that is a common prefix.
    pub fn finish(&mut self) -> Option<Changed> {
        self.open.take().map(Changed::CommonPrefix)
    }
}

/// Walks the differences of two trees in key order, rolled up by a delimiter.
pub struct DirectoryDiff {
    /// `None` if no item can come after the last one given.
    diff: Option<Diff>,
    rolled: RollUp,
    /// Complete, and not given yet.
    ready: Option<Changed>,
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
        let diff = rolled
            .start()
            .map(|start| Diff::new(store, pool, left, right).under(&query.prefix).starting_at(start));
        Self { diff, rolled, ready: None }
    }

    /// The next item. After an error there is no going on.
    pub async fn next(&mut self) -> Result<Option<Changed>, TreeError> {
        loop {
            if let Some(ready) = self.ready.take() {
                return Ok(Some(ready));
            }
            let difference = match &mut self.diff {
                Some(diff) => diff.next().await?,
                None => None,
            };
            let Some(difference) = difference else {
                return Ok(self.rolled.finish());
            };
            let [prefix, path] = self.rolled.add(difference);
            if let Some(first) = prefix {
                self.ready = path;
                return Ok(Some(first));
            }
            self.ready = path;
        }
    }
}
