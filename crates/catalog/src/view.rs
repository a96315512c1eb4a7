//! What a reader of a branch or a commit sees: staged layers composed over a tree.

mod layers;
mod overlay;
mod reads;

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::{Cursor, RangeStore, Record, TreeCursor, TreeId};
use braid_types::{Entry, ObjectPath, Result, StagingToken};

pub(crate) use layers::Layers;
pub(crate) use overlay::Overlay;
pub(crate) use reads::Reads;

use crate::record::{BranchRecord, staged};

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

/// One state of a branch or a commit.
pub(crate) struct View {
    /// Staging tokens, the newest layer first.
    pub(crate) tokens: Vec<StagingToken>,
    /// The tree below them.
    pub(crate) base: TreeId,
    /// Where the tree's ranges are.
    pub(crate) ranges: Arc<dyn RangeStore>,
}

impl View {
    /// A branch with what is staged.
    pub(crate) fn staged(branch: &BranchRecord, ranges: Arc<dyn RangeStore>) -> Self {
        Self { tokens: branch.tokens(), base: branch.base, ranges }
    }

    /// A committed tree.
    pub(crate) fn committed(tree: TreeId, ranges: Arc<dyn RangeStore>) -> Self {
        Self { tokens: Vec::new(), base: tree, ranges }
    }

    /// What `path` maps to. Costs one read of the key-value store if there are layers, and one range at most.
    pub(crate) async fn get(&self, reads: &dyn Reads, path: &[u8]) -> Result<Option<Record>> {
        let keys: Vec<_> = self.tokens.iter().map(|token| staged::key(token, path)).collect();
        if !keys.is_empty() {
            let staged = reads.get_many(&keys).await?;
            if let Some(newest) = staged.into_iter().flatten().next() {
                let value = staged::decode(&newest)?;
                return Ok(value.map(|value| Record { key: path.to_vec().into(), value }));
            }
        }
        Ok(braid_tree::lookup(&*self.ranges, self.base, path).await?)
    }

    /// All that is seen, in order of paths.
    pub(crate) fn cursor(&self, snapshot: &Arc<dyn Snapshot>) -> Box<dyn Cursor> {
        let tree = TreeCursor::new(Arc::clone(&self.ranges), self.base);
        if self.tokens.is_empty() {
            return Box::new(tree);
        }
        Box::new(Overlay::new(Layers::new(snapshot, &self.tokens), tree))
    }
}
