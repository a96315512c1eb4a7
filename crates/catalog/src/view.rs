//! What a reader of a branch or a commit sees: layers composed over a tree.

mod changes;
mod composed;
mod layers;
mod overlay;
mod piece;
mod reads;
mod stack;
#[cfg(test)]
mod tests;
mod usage;

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::{Cursor, RangeStore, Record, TreeCursor, TreeId};
use braid_types::{Entry, ObjectPath, Result};

pub(crate) use changes::Changes;
pub(crate) use layers::Layers;
pub(crate) use reads::Reads;
pub(crate) use stack::{Stack, Trace};

use crate::record::{BranchRecord, staged};
use composed::Composed;

/// An object as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its path.
    pub path: ObjectPath,
    /// What the path maps to.
    pub entry: Entry,
    /// The storage namespace of the repository that it was read from, which a relative address is relative to. It comes
    /// from the state that the object does: a repository of the same name may have another one a moment later.
    pub namespace: Arc<str>,
}

impl Object {
    /// The object that `record` holds, in a repository with this storage namespace.
    pub(crate) fn from_record(record: &Record, namespace: &Arc<str>) -> Result<Self> {
        let path = ObjectPath::from_key(&record.key)?;
        Ok(Self { path, entry: record.entry()?, namespace: Arc::clone(namespace) })
    }
}

/// One state of a branch or a commit. Cheap to clone.
#[derive(Clone)]
pub(crate) struct View {
    /// What is seen.
    pub(crate) stack: Stack,
    /// Where the trees' ranges are.
    pub(crate) ranges: Arc<dyn RangeStore>,
}

impl View {
    /// A branch with what is uncommitted.
    pub(crate) fn staged(branch: &BranchRecord, ranges: Arc<dyn RangeStore>) -> Self {
        Self { stack: Stack::staged(branch), ranges }
    }

    /// A branch with its sealed layers, which no longer change.
    pub(crate) fn sealed(branch: &BranchRecord, ranges: Arc<dyn RangeStore>) -> Self {
        Self { stack: Stack::sealed(branch), ranges }
    }

    /// A committed tree.
    pub(crate) fn committed(tree: TreeId, ranges: Arc<dyn RangeStore>) -> Self {
        Self { stack: Stack::committed(tree), ranges }
    }

    /// What `path` maps to. Costs one read of the key-value store if there are layers, and one range at most.
    pub(crate) async fn get(&self, reads: &dyn Reads, path: &[u8]) -> Result<Option<Record>> {
        let Trace { staged, bottom } = self.stack.trace(path);
        let record = |value| Record { key: path.to_vec().into(), value };
        if !staged.is_empty() {
            let keys: Vec<_> = staged.iter().map(|(token, path)| staged::key(token, path)).collect();
            if let Some(newest) = reads.get_many(&keys).await?.into_iter().flatten().next() {
                return Ok(staged::decode(&newest)?.map(record));
            }
        }
        let Some((tree, there)) = bottom else {
            return Ok(None);
        };
        let found = braid_tree::lookup(&*self.ranges, tree, &there).await?;
        Ok(found.map(|found| record(found.value)))
    }

    /// All that is seen, in order of paths.
    pub(crate) fn cursor(&self, snapshot: &Arc<dyn Snapshot>) -> Box<dyn Cursor> {
        if self.stack.is_plain_tree() {
            return Box::new(TreeCursor::new(Arc::clone(&self.ranges), self.stack.base));
        }
        Box::new(Composed::new(Arc::clone(snapshot), Arc::clone(&self.ranges), self.stack.pieces()))
    }
}
