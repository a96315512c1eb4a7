//! Committing a tree that is in the repository's storage already: what tools that write trees themselves make history of.

use std::collections::BTreeMap;

use braid_tree::TreeError;
use braid_types::{
    BranchName, Code, Commit, CommitId, Error, IdentityHasher, MetarangeId, RepositoryName, Result, Time,
};

use super::plan::{Effect, Place, Plan};
use super::publish::CommitText;
use super::queue::{HeadJob, Work};
use super::stage::BranchAddress;
use crate::catalog::Catalog;
use crate::mutation::Mutation;
use crate::protection::Touch;

/// Which tree to commit, and with which text.
#[derive(Debug, Clone)]
pub struct CommitTree {
    /// The branch; it has no uncommitted changes.
    pub branch: BranchName,
    /// The whole tree that the branch is to have.
    pub tree: MetarangeId,
    /// Who commits.
    pub committer: String,
    /// What the committer says of it.
    pub message: String,
    /// Keys and values of the committer's.
    pub metadata: BTreeMap<String, String>,
    /// The commit's time; `None` is now.
    pub time: Option<Time>,
}

impl Catalog {
    /// Commits a tree as it is, also if it is the one that the branch has. Its ranges are not looked at: one that is missing is
    /// found by who reads it.
    ///
    /// # Errors
    /// [`Code::MetarangeNotFound`], [`Code::DirtyBranch`], [`Code::ProtectedBranch`].
    pub async fn commit_tree(
        &self,
        repository: &RepositoryName,
        commit: &CommitTree,
        mutation: &Mutation,
    ) -> Result<CommitId> {
        Commit::check_limits(&commit.committer, &commit.message, &commit.metadata)?;
        let at = BranchAddress { repository: repository.clone(), branch: commit.branch.clone() };
        let fingerprint = commit.identity(repository).finish();
        self.line_up(HeadJob::new(at, Work::Tree(Box::new(commit.clone())), mutation, fingerprint)).await
    }
}

impl Plan<'_> {
    /// Commits a tree onto a clean branch.
    pub(super) async fn commit_tree(&mut self, place: Place<'_>, commit: &CommitTree) -> Result<CommitId> {
        let repository = place.repository;
        repository.protection.check(&repository.name, &commit.branch, Touch::Commit)?;
        let branch = self.clean_branch(repository, &commit.branch).await?;
        match self.ranges(repository).await?.metarange(&commit.tree).await {
            Ok(_) => {}
            Err(TreeError::Missing { .. }) => return Err(no_metarange(&repository.name, commit.tree)),
            Err(error) => return Err(error.into()),
        }
        let head = self.catalog.load_commit(&self.draft, repository, &branch.head).await?;
        let text = CommitText {
            committer: commit.committer.clone(),
            message: commit.message.clone(),
            metadata: commit.metadata.clone(),
            time: commit.time.unwrap_or_else(|| self.catalog.now()),
        };
        let made = text.commit(&[(branch.head, head.generation)], Some(commit.tree));
        self.advance(place, &commit.branch, made, Effect::Foreign).await
    }
}

impl CommitTree {
    fn identity(&self, repository: &RepositoryName) -> IdentityHasher {
        let names = ["commit tree", repository.as_str(), self.branch.as_str()];
        let texts = [&self.tree.to_hex(), self.committer.as_str(), &self.message];
        let hasher = IdentityHasher::new().strings(&names).strings(&texts).map(&self.metadata);
        self.time.into_iter().fold(hasher, |hasher, time| hasher.int64(time.seconds))
    }
}

fn no_metarange(repository: &RepositoryName, tree: MetarangeId) -> Error {
    let message = format!("the storage of repository '{repository}' has no metarange '{tree}'");
    Error::new(Code::MetarangeNotFound, tree.to_hex(), message)
}
