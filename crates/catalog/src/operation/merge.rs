//! Merging a commit into a branch.

use std::collections::BTreeMap;
use std::sync::Arc;

use braid_tree::{Conflicts, MergeResult, RangeStore, Record, Strategy, TreeId};
use braid_types::{
    BranchName, Code, Commit, CommitId, Error, IdentityHasher, ObjectPath, RefExpression, RepositoryName,
    Result, Time,
};

use super::publish::{CommitText, Published, Target, dirty};
use super::seal::is_clean;
use super::turn::Begun;
use crate::catalog::{Catalog, load_branch, load_repository};
use crate::commits::RepositoryCommits;
use crate::graph::{is_ancestor, merge_base};
use crate::mutation::{Mutation, Request};
use crate::record::request::Answer;
use crate::record::{BranchRecord, RepositoryRecord};
use crate::resolve::resolve;
use crate::view::{Object, Reads};

/// Metadata key under which lakeFS, and so Braid, keeps the strategy of a merge.
const STRATEGY_KEY: &str = ".lakefs.merge.strategy";

/// How many conflicting paths an error names.
const NAMED_CONFLICTS: usize = 5;

/// What to merge, and with which text.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// What is merged.
    pub source: RefExpression,
    /// The branch that it is merged into.
    pub destination: BranchName,
    /// What to do about conflicts.
    pub strategy: Strategy,
    /// Who merges.
    pub committer: String,
    /// What the committer says of it; empty for a standard text.
    pub message: String,
    /// Keys and values of the committer's.
    pub metadata: BTreeMap<String, String>,
    /// Make a commit with the destination as its only parent.
    pub squash: bool,
    /// Merge even if the source has nothing that the destination lacks.
    pub allow_empty: bool,
    /// The commit's time; `None` is now.
    pub time: Option<Time>,
}

/// A path that both sides changed, each in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeConflict {
    /// The path.
    pub path: ObjectPath,
    /// What it was before.
    pub base: Option<Object>,
    /// What the source made of it.
    pub source: Option<Object>,
    /// What the destination made of it.
    pub destination: Option<Object>,
}

/// All conflicts of a merge, in order of paths.
pub struct MergeConflicts {
    conflicts: Conflicts,
    namespace: Arc<str>,
}

impl MergeConflicts {
    /// The next conflict.
    pub async fn next(&mut self) -> Result<Option<MergeConflict>> {
        let Some(conflict) = self.conflicts.next().await? else {
            return Ok(None);
        };
        let object = |record: Option<Record>| {
            record.map(|record| Object::from_record(&record, &self.namespace)).transpose()
        };
        Ok(Some(MergeConflict {
            path: ObjectPath::from_key(&conflict.key)?,
            base: object(conflict.base)?,
            source: object(conflict.source)?,
            destination: object(conflict.dest)?,
        }))
    }
}

/// Three trees of a merge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides {
    pub(super) base: TreeId,
    pub(super) destination: TreeId,
    pub(super) source: TreeId,
}

/// A branch without uncommitted changes, and its head.
pub(super) struct CleanBranch {
    pub(super) record: BranchRecord,
    pub(super) head: Arc<Commit>,
}

impl Catalog {
    /// Merges a commit into a branch and gives the merge commit.
    ///
    /// # Errors
    /// [`Code::MergeConflict`] names the first of the conflicting paths; [`Catalog::merge_conflicts`] lists all.
    /// [`Code::NothingToMerge`], [`Code::DirtyBranch`], [`Code::SameBranch`].
    pub async fn merge(
        &self,
        repository: &RepositoryName,
        merge: &MergeRequest,
        mutation: &Mutation,
    ) -> Result<CommitId> {
        Commit::check_limits(&merge.committer, &merge.message, &merge.metadata)?;
        refuse_same_branch(&merge.source, &merge.destination)?;
        let request = mutation.with(fingerprint(repository, merge));
        match self.turn(repository, &merge.destination, &request).await? {
            Begun::Done(id) => Ok(id),
            Begun::Turn(turn) => {
                self.until_published(|| self.try_merge(turn.target(), merge, &request)).await
            }
        }
    }

    async fn try_merge(
        &self,
        target: Target<'_>,
        merge: &MergeRequest,
        request: &Request<'_>,
    ) -> Result<Published> {
        let snapshot = self.snapshot().await?;
        let branch = self.clean_branch(&snapshot, target).await?;
        let source = resolve(self, &snapshot, target.repository, &merge.source).await?;
        let source = source.committed(&merge.source)?.commit;
        let commits = RepositoryCommits::new(self, &snapshot, target.repository.id);
        if !merge.allow_empty && is_ancestor(&commits, source, branch.record.head).await? {
            return self.nothing_to_merge(merge, request).await;
        }
        let source_commit = self.load_commit(&snapshot, target.repository, &source).await?;
        let base = self.base_tree(&snapshot, target.repository, branch.record.head, source).await?;
        let sides = Sides { base, destination: branch.head.metarange, source: source_commit.metarange };
        let tree = self.merge_trees(target, sides, merge.strategy).await?;
        let mut parents = vec![(branch.record.head, branch.head.generation)];
        if !merge.squash {
            parents.push((source, source_commit.generation));
        }
        let commit = self.merge_text(merge).commit(&parents, tree);
        self.publish_foreign(target, &branch.record, &commit, request).await
    }

    /// Every path on which merging `source` into `destination` would conflict.
    pub async fn merge_conflicts(
        &self,
        repository: &RepositoryName,
        source: &RefExpression,
        destination: &RefExpression,
    ) -> Result<MergeConflicts> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let mut sides = Vec::new();
        for side in [destination, source] {
            sides.push(resolve(self, &snapshot, &repository, side).await?.committed(side)?.commit);
        }
        let base = self.base_tree(&snapshot, &repository, sides[0], sides[1]).await?;
        let destination = self.load_commit(&snapshot, &repository, &sides[0]).await?.metarange;
        let source = self.load_commit(&snapshot, &repository, &sides[1]).await?.metarange;
        let ranges = self.ranges(&repository).await?;
        let conflicts = Conflicts::new(ranges, self.pool(), base, destination, source);
        Ok(MergeConflicts { conflicts, namespace: repository.storage_namespace })
    }

    /// The destination of a merge, a revert or a cherry-pick. This finds a dirty branch before work is done in vain;
    /// what counts is looked at again under the fence.
    pub(super) async fn clean_branch(&self, reads: &dyn Reads, target: Target<'_>) -> Result<CleanBranch> {
        let record = load_branch(reads, target.repository, target.branch).await?;
        if !is_clean(reads, &record).await? {
            return Err(dirty(target.branch));
        }
        let head = self.load_commit(reads, target.repository, &record.head).await?;
        Ok(CleanBranch { record, head })
    }

    /// Merges trees, or refuses with the paths that conflict.
    pub(super) async fn merge_trees(
        &self,
        target: Target<'_>,
        sides: Sides,
        strategy: Strategy,
    ) -> Result<TreeId> {
        let ranges: Arc<dyn RangeStore> = self.ranges(target.repository).await?;
        let format = self.tree_format(target.repository)?;
        let merge = braid_tree::Merge {
            base: sides.base,
            dest: sides.destination,
            source: sides.source,
            strategy,
            ..Default::default()
        };
        match Box::pin(braid_tree::merge(&ranges, self.pool(), &format, &merge)).await? {
            MergeResult::Merged(folded) => Ok(folded.tree),
            MergeResult::Conflicts(conflicts) => {
                let paths: Vec<String> = conflicts
                    .iter()
                    .map(|conflict| String::from_utf8_lossy(&conflict.key).into_owned())
                    .collect();
                Err(conflict_error(target.branch, &paths))
            }
        }
    }

    async fn base_tree(
        &self,
        reads: &dyn Reads,
        repository: &RepositoryRecord,
        destination: CommitId,
        source: CommitId,
    ) -> Result<TreeId> {
        let commits = RepositoryCommits::new(self, reads, repository.id);
        let base =
            merge_base(&commits, destination, source).await?.ok_or_else(|| no_base(destination, source))?;
        Ok(self.load_commit(reads, repository, &base).await?.metarange)
    }

    /// A retry may find nothing left to merge because the first try merged it.
    async fn nothing_to_merge(&self, merge: &MergeRequest, request: &Request<'_>) -> Result<Published> {
        let txn = self.begin().await?;
        if let Some(Answer::Commit(id)) = request.replay(self, &*txn).await? {
            return Ok(Published::Moved(id));
        }
        let message = format!("'{}' has nothing that branch '{}' lacks", merge.source, merge.destination);
        Err(Error::new(Code::NothingToMerge, merge.source.text(), message))
    }

    fn merge_text(&self, merge: &MergeRequest) -> CommitText {
        let message = match merge.message.as_str() {
            "" => format!("Merge '{}' into '{}'", merge.source, merge.destination),
            given => given.to_owned(),
        };
        let mut metadata = merge.metadata.clone();
        metadata.insert(STRATEGY_KEY.to_owned(), strategy_name(merge.strategy).to_owned());
        CommitText {
            committer: merge.committer.clone(),
            message,
            metadata,
            time: merge.time.unwrap_or_else(|| self.now()),
        }
    }
}

/// The error of commits without a common ancestor.
pub(super) fn no_base(left: CommitId, right: CommitId) -> Error {
    Error::new(
        Code::NoMergeBase,
        right.to_hex(),
        format!("commits '{left}' and '{right}' have no common ancestor"),
    )
}

fn strategy_name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Refuse => "default",
        Strategy::SourceWins => "source-wins",
        Strategy::DestWins => "dest-wins",
    }
}

fn refuse_same_branch(source: &RefExpression, destination: &BranchName) -> Result<()> {
    if source.base() != destination.as_str() || !source.modifiers().is_empty() {
        return Ok(());
    }
    let message = format!("branch '{destination}' cannot be merged into itself");
    Err(Error::new(Code::SameBranch, destination.as_str(), message))
}

fn fingerprint(repository: &RepositoryName, merge: &MergeRequest) -> IdentityHasher {
    let names = ["merge", repository.as_str(), merge.source.text(), merge.destination.as_str()];
    let texts = [strategy_name(merge.strategy), &merge.committer, &merge.message];
    let flags = i64::from(merge.squash) * 2 + i64::from(merge.allow_empty);
    let hasher = IdentityHasher::new().strings(&names).strings(&texts).map(&merge.metadata).int64(flags);
    merge.time.into_iter().fold(hasher, |hasher, time| hasher.int64(time.seconds))
}

fn conflict_error(branch: &BranchName, paths: &[String]) -> Error {
    let named: Vec<String> = paths.iter().take(NAMED_CONFLICTS).map(|path| format!("'{path}'")).collect();
    let more = match paths.len().saturating_sub(NAMED_CONFLICTS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "{} of the paths to be merged into branch '{branch}' conflict: {}{more}",
        paths.len(),
        named.join(", ")
    );
    Error::new(Code::MergeConflict, paths.first().cloned().unwrap_or_default(), message)
}
