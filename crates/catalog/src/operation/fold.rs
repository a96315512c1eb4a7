//! Folding sealed layers into a tree.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::{Folded, RangeStore};
use braid_types::Result;
use futures::StreamExt;

use super::move_objects::check_moved_path;
use crate::catalog::Catalog;
use crate::record::{BranchRecord, RepositoryRecord};
use crate::view::View;

impl Catalog {
    /// The tree of a branch's base with its sealed layers. `snapshot` is no older than the last seal.
    ///
    /// # Errors
    /// [`Code::InvalidPath`](braid_types::Code::InvalidPath) names a path that moves made too long.
    pub(crate) async fn fold_layers(
        &self,
        ranges: &Arc<dyn RangeStore>,
        repository: &RepositoryRecord,
        branch: &BranchRecord,
        snapshot: &Arc<dyn Snapshot>,
    ) -> Result<Folded> {
        let format = self.tree_format(repository)?;
        let view = View::sealed(branch, Arc::clone(ranges));
        let changes = view.changes(snapshot, b"").map(|change| {
            let change = change?;
            // A move looks at a few of its paths only.
            check_moved_path(&change.key)?;
            Ok(change)
        });
        Ok(braid_tree::fold(ranges, self.pool(), &format, view.stack.base, changes).await?)
    }
}
