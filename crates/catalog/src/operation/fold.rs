//! Folding sealed layers into a tree.

use std::pin::Pin;
use std::sync::Arc;

use async_stream::try_stream;
use braid_kv::Snapshot;
use braid_tree::{Change, Folded, RangeStore, TreeError};
use braid_types::{Result, StagingToken};
use futures::Stream;

use crate::catalog::Catalog;
use crate::record::{BranchRecord, RepositoryRecord};
use crate::view::Layers;

/// Changes in order of paths.
pub(super) type Changes = Pin<Box<dyn Stream<Item = Result<Change, TreeError>> + Send>>;

/// What the layers under `tokens` (the newest first) change, together.
pub(super) fn changes(snapshot: &Arc<dyn Snapshot>, tokens: &[StagingToken], from: &[u8]) -> Changes {
    let mut layers = Layers::new(snapshot, tokens);
    layers.seek(from);
    Box::pin(try_stream! {
        while let Some((key, value)) = layers.next().await? {
            yield Change { key, value };
        }
    })
}

impl Catalog {
    /// The tree of a branch's base with its sealed layers. `snapshot` is no older than the last seal.
    pub(super) async fn fold_layers(
        &self,
        ranges: &Arc<dyn RangeStore>,
        repository: &RepositoryRecord,
        branch: &BranchRecord,
        snapshot: &Arc<dyn Snapshot>,
    ) -> Result<Folded> {
        let format = self.tree_format(repository)?;
        let changes = changes(snapshot, &branch.sealed_tokens(), b"");
        Ok(braid_tree::fold(ranges, self.pool(), &format, branch.base, changes).await?)
    }
}
