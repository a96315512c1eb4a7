//! Grafting: under a prefix a branch shows what a tree has there.

use std::collections::BTreeMap;

use async_trait::async_trait;
use braid_tree::{TreeId, Value};
use braid_types::{BranchName, MetarangeId, PathPrefix, RepositoryName, Result};
use bytes::Bytes;

use super::move_objects::check_directory;
use super::restructure::{Decision, Plan, Scene};
use super::seal::is_clean;
use super::small_directory::Contents;
use crate::catalog::Catalog;
use crate::mutation::{Mutation, Request};
use crate::record::Layer;
use crate::view::View;

/// Shows under a prefix what a tree has there.
struct Graft<'a> {
    prefix: &'a PathPrefix,
    /// `None` is the tree of the branch's head.
    tree: Option<MetarangeId>,
}

impl Catalog {
    /// Makes `prefix` of a branch, a directory, exactly what `tree` has there by its full paths, in one transaction whose
    /// cost does not depend on how much that is. The tree must be stored in the repository's namespace, and stay there.
    /// What is under the prefix is hidden, and nothing but the prefix is taken from the tree.
    ///
    /// # Errors
    /// [`Code::InvalidPath`](braid_types::Code::InvalidPath) if the prefix does not end in `/`;
    /// [`Code::Busy`](braid_types::Code::Busy) if the branch has too many layers already.
    pub async fn graft(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        prefix: &PathPrefix,
        tree: MetarangeId,
        mutation: &Mutation,
    ) -> Result<()> {
        check_directory(prefix)?;
        let of = tree.to_hex();
        let request = mutation.of("graft", &[repository.as_str(), branch.as_str(), prefix.as_str(), &of]);
        let graft = Graft { prefix, tree: Some(tree) };
        self.restructure(repository, branch, &request, &graft).await.map(|_| ())
    }

    /// Drops the uncommitted changes under a prefix: it becomes what the head has there.
    pub(super) async fn reset_prefix(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        prefix: &PathPrefix,
        request: &Request<'_>,
    ) -> Result<()> {
        let graft = Graft { prefix, tree: None };
        self.restructure(repository, branch, request, &graft).await.map(|_| ())
    }
}

#[async_trait]
impl Plan for Graft<'_> {
    async fn decide(&self, scene: &Scene<'_>) -> Result<Decision> {
        let tree = match self.tree {
            Some(tree) => Some(tree),
            // A branch that is its head already stays clean.
            None if is_clean(&scene.snapshot, &scene.branch).await? => return Ok(Decision::Nothing),
            None => scene.head_tree().await?,
        };
        let given = View::committed(tree, scene.view.ranges.clone());
        let seen = scene.contents(self.prefix.as_bytes()).await?;
        let given = scene.contents_of(&given, self.prefix.as_bytes()).await?;
        Ok(match (seen, given) {
            (Contents::Few(seen), Contents::Few(given)) => {
                let mut entries: BTreeMap<Bytes, Option<Value>> = BTreeMap::new();
                entries.extend(seen.iter().map(|entry| (entry.key.clone(), None)));
                entries.extend(given.iter().map(|entry| (entry.key.clone(), Some(entry.value.clone()))));
                for same in seen.iter().filter(|entry| given.contains(entry)) {
                    entries.remove(&same.key);
                }
                match entries.is_empty() {
                    true => Decision::Nothing,
                    false => Decision::Rewrite(entries.into_iter().collect()),
                }
            }
            _ => Decision::Push(layer(self.prefix, tree)),
        })
    }
}

/// A graft of the empty tree leaves nothing.
pub(super) fn layer(prefix: &PathPrefix, tree: TreeId) -> Layer {
    match tree {
        Some(tree) => Layer::Grafted { prefix: prefix.clone(), tree },
        None => Layer::Erased(prefix.clone()),
    }
}

impl Scene<'_> {
    async fn head_tree(&self) -> Result<TreeId> {
        let head = self.catalog.load_commit(&self.snapshot, &self.repository, &self.branch.head).await?;
        Ok(head.metarange)
    }
}
