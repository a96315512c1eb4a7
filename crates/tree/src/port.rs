//! The port: where ranges and metaranges are kept.

use std::sync::Arc;

use async_trait::async_trait;
use braid_sstable::Table;
use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;

use crate::{FileId, Metarange, TreeError};

/// Names a whole tree by its metarange. `None` is the empty tree, which is written nowhere.
pub type TreeId = Option<MetarangeId>;

/// Keeps the files of trees, which never change, under the hashes of their content.
///
/// What every implementation keeps:
///
/// 1. A file is served whole or not at all, but by [`file`](Self::file): bytes that are damaged, cut short or another file's are
///    [`TreeError::Corrupt`] ([`open_range`](crate::open_range), [`verify_range`](crate::verify_range) and
///    [`Metarange::decode`] find out).
/// 2. A file that is not there is [`TreeError::Missing`].
/// 3. A put returns when the file is durable. A put of a file that is there already succeeds.
#[async_trait]
pub trait RangeStore: Send + Sync {
    /// Opens a range.
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError>;

    /// Opens a metarange.
    async fn metarange(&self, id: &MetarangeId) -> Result<Arc<Metarange>, TreeError>;

    /// The bytes of a file as they are durable, read from there and not from memory, unchecked: for verification.
    async fn file(&self, file: FileId) -> Result<Bytes, TreeError>;

    /// Writes a range.
    async fn put_range(&self, id: &RangeId, file: Bytes) -> Result<(), TreeError>;

    /// Writes a metarange.
    async fn put_metarange(&self, id: &MetarangeId, file: Bytes) -> Result<(), TreeError>;
}

/// Opens a tree's metarange; the empty tree's has no ranges.
pub async fn open_tree(store: &dyn RangeStore, tree: TreeId) -> Result<Arc<Metarange>, TreeError> {
    match tree {
        Some(id) => store.metarange(&id).await,
        None => Ok(Arc::new(Metarange::default())),
    }
}
