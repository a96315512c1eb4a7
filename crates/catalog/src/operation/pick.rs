//! Revert and cherry-pick: three-way merges with other bases.

use std::collections::BTreeMap;

use braid_tree::{Strategy, TreeId};
use braid_types::{
    BranchName, Code, Commit, CommitId, Error, IdentityHasher, RefExpression, RepositoryName, Result, Time,
};

use super::merge::Sides;
use super::plan::{Effect, Place, Plan};
use super::publish::CommitText;
use super::queue::{HeadJob, Work};
use super::stage::BranchAddress;
use crate::catalog::Catalog;
use crate::graph::Commits;
use crate::mutation::Mutation;
use crate::resolve::resolve;

/// Metadata keys by which lakeFS, and so Braid, says where a cherry-picked commit came from.
const ORIGIN_KEY: &str = "cherry-pick-origin";
const ORIGIN_COMMITTER_KEY: &str = "cherry-pick-committer";

/// Which commit's change to undo or to do again.
#[derive(Debug, Clone)]
pub struct PickRequest {
    /// The branch that gets the new commit.
    pub branch: BranchName,
    /// The commit whose change it is.
    pub commit: RefExpression,
    /// Which of its parents it is compared with, from 1; 0 for the only one.
    pub parent_number: u32,
    /// Who does it.
    pub committer: String,
    /// What the committer says of it; empty for a standard text.
    pub message: String,
    /// Keys and values of the committer's.
    pub metadata: BTreeMap<String, String>,
    /// Commit even if nothing changes.
    pub allow_empty: bool,
    /// The commit's time; `None` is now.
    pub time: Option<Time>,
}

/// What is done with a commit's change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Revert,
    CherryPick,
}

impl Catalog {
    /// Undoes on a branch what a commit changed.
    pub async fn revert(
        &self,
        repository: &RepositoryName,
        pick: &PickRequest,
        mutation: &Mutation,
    ) -> Result<CommitId> {
        self.pick(repository, pick, Direction::Revert, mutation).await
    }

    /// Does again on a branch what a commit changed.
    pub async fn cherry_pick(
        &self,
        repository: &RepositoryName,
        pick: &PickRequest,
        mutation: &Mutation,
    ) -> Result<CommitId> {
        self.pick(repository, pick, Direction::CherryPick, mutation).await
    }

    async fn pick(
        &self,
        repository: &RepositoryName,
        pick: &PickRequest,
        direction: Direction,
        mutation: &Mutation,
    ) -> Result<CommitId> {
        Commit::check_limits(&pick.committer, &pick.message, &pick.metadata)?;
        let at = BranchAddress { repository: repository.clone(), branch: pick.branch.clone() };
        let fingerprint = fingerprint(repository, pick, direction).finish();
        let work = Work::Pick { pick: pick.clone(), direction, picked: None };
        self.line_up(HeadJob::new(at, work, mutation, fingerprint)).await
    }
}

impl Plan<'_> {
    /// The commit whose change is meant. Found out once: the expression may name the branch that is about to move.
    pub(super) async fn picked(&self, place: Place<'_>, pick: &PickRequest) -> Result<CommitId> {
        let found = resolve(self.catalog, &self.draft, place.repository, &pick.commit).await?;
        Ok(found.committed(&pick.commit)?.commit)
    }

    /// Undoes or does again what the commit `picked` changed, on a clean branch.
    pub(super) async fn pick(
        &mut self,
        place: Place<'_>,
        pick: &PickRequest,
        picked: CommitId,
        direction: Direction,
    ) -> Result<CommitId> {
        let branch = self.clean_branch(place.repository, &pick.branch).await?;
        let commits = self.commits_of(place.repository);
        let (head, commit) = (commits.commit(&branch.head).await?, commits.commit(&picked).await?);
        let parent = parent_tree(&commits, picked, &commit, pick.parent_number).await?;
        let destination = head.metarange;
        let sides = match direction {
            Direction::Revert => Sides { base: commit.metarange, destination, source: parent },
            Direction::CherryPick => Sides { base: parent, destination, source: commit.metarange },
        };
        let tree = self.merge_trees(place, &pick.branch, sides, Strategy::Refuse).await?;
        if tree == destination && !pick.allow_empty {
            let message = format!("'{}' changes nothing on branch '{}'", pick.commit, pick.branch);
            return Err(Error::new(Code::NothingToCommit, pick.commit.text(), message));
        }
        let text = pick.text(self.catalog, picked, &commit, direction);
        let made = text.commit(&[(branch.head, head.generation)], tree);
        self.advance(place, &pick.branch, made, Effect::Foreign).await
    }
}

/// The tree of a commit's parent with this number.
async fn parent_tree(commits: &dyn Commits, id: CommitId, commit: &Commit, number: u32) -> Result<TreeId> {
    let parent = match (number, &commit.parents[..]) {
        (0 | 1, []) => return Ok(None),
        (0, [only]) => only,
        (0, several) => return Err(parent_required(id, several.len())),
        (number, parents) => {
            let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
            parents.get(index).ok_or_else(|| no_parent(id, number, parents.len()))?
        }
    };
    Ok(commits.commit(parent).await?.metarange)
}

impl PickRequest {
    fn text(&self, catalog: &Catalog, id: CommitId, commit: &Commit, direction: Direction) -> CommitText {
        let mut metadata = match direction {
            Direction::Revert => BTreeMap::new(),
            Direction::CherryPick => commit.metadata.clone(),
        };
        if direction == Direction::CherryPick {
            metadata.insert(ORIGIN_KEY.to_owned(), id.to_hex());
            metadata.insert(ORIGIN_COMMITTER_KEY.to_owned(), commit.committer.clone());
        }
        metadata.extend(self.metadata.clone());
        let message = match (self.message.as_str(), direction) {
            ("", Direction::Revert) => format!("Revert {id}"),
            ("", Direction::CherryPick) => commit.message.clone(),
            (given, _) => given.to_owned(),
        };
        let time = self.time.unwrap_or_else(|| catalog.now());
        CommitText { committer: self.committer.clone(), message, metadata, time }
    }
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::Revert => "revert",
            Self::CherryPick => "cherry-pick",
        }
    }
}

fn fingerprint(repository: &RepositoryName, pick: &PickRequest, direction: Direction) -> IdentityHasher {
    let names = [direction.name(), repository.as_str(), pick.branch.as_str(), pick.commit.text()];
    let flags = i64::from(pick.parent_number) * 2 + i64::from(pick.allow_empty);
    let texts = [pick.committer.as_str(), &pick.message];
    let hasher = IdentityHasher::new().strings(&names).strings(&texts).map(&pick.metadata).int64(flags);
    pick.time.into_iter().fold(hasher, |hasher, time| hasher.int64(time.seconds))
}

fn parent_required(id: CommitId, parents: usize) -> Error {
    let message = format!("commit '{id}' has {parents} parents: say which one to compare it with");
    Error::new(Code::ParentRequired, id.to_hex(), message)
}

fn no_parent(id: CommitId, number: u32, parents: usize) -> Error {
    let message = format!("commit '{id}' has {parents} parents, so there is no parent {number}");
    Error::new(Code::InvalidArgument, id.to_hex(), message)
}
