//! Flattening: the sealed layers of a branch become one layer that shows the tree they were folded into, without a commit.
//!
//! What readers see does not change, nor what a commit will make, so no fence is needed and nobody waits. The layer lies
//! on the head's tree as any other does: the branch stays uncommitted as it was. A commit that is under way at the same
//! time finds the layers that it folded gone or this finds them gone, by their ids; the other one begins again, or has
//! nothing to do any more.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::TreeId;
use braid_types::{BranchName, PathPrefix, RepositoryName, Result};

use super::publish::{drop_layers, is_continued_by};
use super::stage::BranchAddress;
use crate::catalog::{Catalog, finish, load_branch, load_writable};
use crate::record::{self, BranchRecord, Layer, OpenLayer, RepositoryRecord};
use crate::view::Stack;

impl Catalog {
    /// Waits until a branch is seen on which so much is uncommitted that reading it gets slow. Each is given once until it
    /// is seen so again.
    pub async fn next_to_flatten(&self) -> BranchAddress {
        self.hints().tall().next().await
    }

    /// Folds what is uncommitted on a branch, if it is much: more layers than [`fold_layers`](crate::Settings::fold_layers),
    /// or about as many staged entries as [`fold_entries`](crate::Settings::fold_entries). Says whether it did.
    ///
    /// # Errors
    /// Those of the stores. Whatever happened, readers see what they saw.
    pub async fn flatten_if_tall(&self, repository: &RepositoryName, branch: &BranchName) -> Result<bool> {
        let snapshot = self.snapshot().await?;
        let repository = load_writable(&snapshot, repository).await?;
        let record = load_branch(&snapshot, &repository, branch).await?;
        if record.open.fence().numbers_given(&*snapshot).await? >= self.settings.fold_entries {
            self.seal(&repository, branch).await?;
            return self.flatten(&repository, branch).await;
        }
        if record.sealed.len() <= self.settings.fold_layers && !self.is_heavy(&snapshot, &record).await? {
            return Ok(false);
        }
        self.flatten(&repository, branch).await
    }

    /// Whether about as many entries are staged in one of its sealed layers as should be folded.
    async fn is_heavy(&self, snapshot: &Arc<dyn Snapshot>, branch: &BranchRecord) -> Result<bool> {
        for layer in &branch.sealed {
            let Some(token) = layer.layer.token() else {
                continue;
            };
            let fence = OpenLayer { token, ..branch.open }.fence();
            if fence.numbers_given(&**snapshot).await? >= self.settings.fold_entries {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Folds the sealed layers of a branch; says whether they are one layer now.
    pub(crate) async fn flatten(&self, repository: &RepositoryRecord, branch: &BranchName) -> Result<bool> {
        let snapshot = self.snapshot().await?;
        let record = load_branch(&snapshot, repository, branch).await?;
        if record.sealed.is_empty() || Stack::sealed(&record).is_plain_tree() {
            return Ok(false);
        }
        let ranges = self.ranges(repository).await?;
        let tree = self.fold_layers(&ranges, repository, &record, &snapshot).await?.tree;
        self.publish_flat(repository, branch, &record, tree).await
    }

    /// Puts one layer that shows `tree` in the place of those that were folded; says whether they were still there.
    pub(crate) async fn publish_flat(
        &self,
        repository: &RepositoryRecord,
        branch: &BranchName,
        folded_from: &BranchRecord,
        tree: TreeId,
    ) -> Result<bool> {
        let mut txn = self.begin().await?;
        let current = load_branch(&txn, repository, branch).await?;
        let folded = folded_from.sealed.len();
        if !is_continued_by(folded_from, folded, &current) {
            return Ok(false);
        }
        let flat = (tree != current.base).then(|| self.new_layer(whole(tree)));
        let newer = &current.sealed[folded..];
        let sealed = flat.into_iter().chain(newer.iter().cloned()).collect();
        let record = BranchRecord { sealed, ..current };
        let key = record::branch::key(&repository.id, branch);
        drop_layers(&mut *txn, &key, &folded_from.sealed, self.now());
        txn.put(key, record.encode());
        let is_done = finish(txn, branch.as_str()).await?.is_none();
        if is_done {
            self.hints().note(repository, branch, &record);
        }
        Ok(is_done)
    }
}

/// The layer above which nothing but `tree` is seen.
fn whole(tree: TreeId) -> Layer {
    match tree {
        Some(tree) => Layer::Grafted { prefix: PathPrefix::default(), tree },
        None => Layer::Erased(PathPrefix::default()),
    }
}
