//! Deleting everything under a prefix.

use async_trait::async_trait;
use braid_types::{BranchName, PathPrefix, RepositoryName, Result};

use super::restructure::{Decision, Plan, Scene};
use super::small_directory::Contents;
use crate::catalog::Catalog;
use crate::mutation::Mutation;
use crate::record::Layer;

/// Leaves nothing under a prefix.
struct Erase<'a>(&'a PathPrefix);

impl Catalog {
    /// Deletes all objects whose paths begin with `prefix`, which may be empty, in one transaction, whose cost does not
    /// depend on how many they are. Says whether there were any.
    ///
    /// # Errors
    /// [`Code::Busy`](braid_types::Code::Busy) if the branch has too many layers already.
    pub async fn delete_prefix(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        prefix: &PathPrefix,
        mutation: &Mutation,
    ) -> Result<bool> {
        let arguments = [repository.as_str(), branch.as_str(), prefix.as_str()];
        let request = mutation.of("delete prefix", &arguments);
        self.restructure(repository, branch, &request, &Erase(prefix)).await
    }
}

#[async_trait]
impl Plan for Erase<'_> {
    async fn decide(&self, scene: &Scene<'_>) -> Result<Decision> {
        Ok(match scene.contents(self.0.as_bytes()).await? {
            Contents::Few(entries) if entries.is_empty() => Decision::Nothing,
            Contents::Few(entries) => {
                Decision::Rewrite(entries.into_iter().map(|entry| (entry.key, None)).collect())
            }
            Contents::Many(_) => Decision::Push(Layer::Erased(self.0.clone())),
        })
    }
}
