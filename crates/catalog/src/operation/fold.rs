//! Folding sealed layers into a tree.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::Folded;
use braid_types::Result;

use crate::catalog::Catalog;
use crate::record::{BranchRecord, RepositoryRecord};
use crate::view::View;

impl Catalog {
    /// The tree of a branch's base with its sealed layers. `snapshot` is no older than the last seal.
    pub(super) async fn fold_layers(
        &self,
        repository: &RepositoryRecord,
        branch: &BranchRecord,
        snapshot: &Arc<dyn Snapshot>,
    ) -> Result<Folded> {
        let ranges = self.ranges(repository).await?;
        let format = self.tree_format(repository)?;
        let view = View::sealed(branch, Arc::clone(&ranges));
        let changes = view.changes(snapshot, b"");
        Ok(braid_tree::fold(&ranges, self.pool(), &format, view.stack.base, changes).await?)
    }
}
