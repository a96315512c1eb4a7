//! Differences, counted together where their paths begin alike.

use bytes::Bytes;

use crate::list::{common_prefix, start};
use crate::{Difference, DifferenceKind, ListQuery};

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

impl PrefixChanges {
    /// So many paths that differ alike.
    pub(crate) fn of(prefix: Bytes, kind: DifferenceKind, paths: u64) -> Self {
        let mut changes = Self { prefix, added: 0, removed: 0, changed: 0 };
        changes.count(kind, paths);
        changes
    }

    /// Counts so many paths more that differ like this.
    pub(crate) fn count(&mut self, kind: DifferenceKind, paths: u64) {
        match kind {
            DifferenceKind::Added => self.added += paths,
            DifferenceKind::Removed => self.removed += paths,
            DifferenceKind::Changed => self.changed += paths,
        }
    }

    fn add(&mut self, more: &Self) {
        self.added += more.added;
        self.removed += more.removed;
        self.changed += more.changed;
    }
}

impl DirectoryQuery {
    /// What a key is counted under, if it is not an item of its own.
    pub(crate) fn common_prefix(&self, key: &Bytes) -> Option<Bytes> {
        common_prefix(key, &self.listing())
    }

    /// The item that a difference is, or is part of.
    pub(crate) fn item(&self, difference: Difference) -> Changed {
        match self.common_prefix(&difference.key) {
            Some(prefix) => Changed::CommonPrefix(PrefixChanges::of(prefix, difference.kind, 1)),
            None => Changed::Path(difference),
        }
    }

    /// The first key that may be part of an item; `None` if no key can be.
    pub(crate) fn start(&self) -> Option<Bytes> {
        start(&self.listing())
    }

    fn listing(&self) -> ListQuery {
        let Self { prefix, delimiter, after } = self.clone();
        ListQuery { prefix, delimiter: Some(delimiter), after, limit: usize::MAX }
    }
}

/// Rolls up differences that come in key order.
#[derive(Debug)]
pub struct RollUp {
    query: DirectoryQuery,
    open: Option<PrefixChanges>,
}

impl RollUp {
    /// For differences within the query's prefix and behind its `after`.
    pub fn new(query: &DirectoryQuery) -> Self {
        Self { query: query.clone(), open: None }
    }

    /// The first key whose difference may be part of the first item; `None` if there can be no item.
    pub fn start(&self) -> Option<Bytes> {
        self.query.start()
    }

    /// Takes the next difference. Gives the items that are complete now, in order: a common prefix, then a path.
    pub fn add(&mut self, difference: Difference) -> [Option<Changed>; 2] {
        let item = self.query.item(difference);
        self.merge(item)
    }

    /// Gives the last item, if that is a common prefix.
    pub fn finish(&mut self) -> Option<Changed> {
        self.open.take().map(Changed::CommonPrefix)
    }

    /// Takes the next item, which may be part of a common prefix.
    pub(crate) fn merge(&mut self, item: Changed) -> [Option<Changed>; 2] {
        match (item, &mut self.open) {
            (Changed::Path(path), _) => [self.finish(), Some(Changed::Path(path))],
            (Changed::CommonPrefix(more), Some(open)) if open.prefix == more.prefix => {
                open.add(&more);
                [None, None]
            }
            (Changed::CommonPrefix(next), _) => {
                let done = self.finish();
                self.open = Some(next);
                [done, None]
            }
        }
    }

    /// The common prefix that may not be complete yet.
    pub(crate) fn open(&self) -> Option<&Bytes> {
        self.open.as_ref().map(|open| &open.prefix)
    }
}
