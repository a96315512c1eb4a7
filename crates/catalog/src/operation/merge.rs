//! Merging a commit into a branch.

use std::collections::BTreeMap;
use std::sync::Arc;

use braid_tree::{Conflicts, MergeResult, Record, Strategy, TreeId};
use braid_types::{
    BranchName, Code, Commit, CommitId, Error, IdentityHasher, ObjectPath, RefExpression, RepositoryName,
    Result, Time,
};

use super::plan::{Effect, Place, Plan};
use super::publish::CommitText;
use super::queue::{HeadJob, Work};
use super::stage::BranchAddress;
use crate::catalog::{Catalog, load_repository};
use crate::commits::RepositoryCommits;
use crate::graph::{Commits, merge_base};
use crate::mutation::Mutation;
use crate::record::RepositoryRecord;
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
        merge.check()?;
        let at = BranchAddress { repository: repository.clone(), branch: merge.destination.clone() };
        let fingerprint = merge.identity(repository).finish();
        self.line_up(HeadJob::new(at, Work::Merge(merge.clone()), mutation, fingerprint)).await
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
}

impl Plan<'_> {
    /// Merges a commit into a clean branch.
    pub(crate) async fn merge(&mut self, place: Place<'_>, merge: &MergeRequest) -> Result<CommitId> {
        let branch = self.clean_branch(place.repository, &merge.destination).await?;
        let source = resolve(self.catalog, &self.draft, place.repository, &merge.source).await?;
        let source = source.committed(&merge.source)?.commit;
        let (has, base) = self.reach(place.repository, &merge.destination, source).await?;
        if has && !merge.allow_empty {
            return Err(nothing_to_merge(merge));
        }
        let base = base.ok_or_else(|| no_base(branch.head, source))?;
        let commits = self.commits_of(place.repository);
        let (head, merged) = (commits.commit(&branch.head).await?, commits.commit(&source).await?);
        let sides = Sides { base, destination: head.metarange, source: merged.metarange };
        let tree = self.merge_trees(place, &merge.destination, sides, merge.strategy).await?;
        let mut parents = vec![(branch.head, head.generation)];
        if !merge.squash {
            parents.push((source, merged.generation));
        }
        let made = merge.text(self.catalog).commit(&parents, tree);
        self.advance(place, &merge.destination, made, Effect::Foreign).await
    }

    /// Merges trees, or refuses with the paths that conflict.
    pub(super) async fn merge_trees(
        &self,
        place: Place<'_>,
        branch: &BranchName,
        sides: Sides,
        strategy: Strategy,
    ) -> Result<TreeId> {
        let ranges = self.ranges(place.repository).await?;
        let format = self.catalog.tree_format(place.repository)?;
        let merge = braid_tree::Merge {
            base: sides.base,
            dest: sides.destination,
            source: sides.source,
            strategy,
            ..Default::default()
        };
        match Box::pin(braid_tree::merge(&ranges, self.catalog.pool(), &format, &merge)).await? {
            MergeResult::Merged(folded) => Ok(folded.tree),
            MergeResult::Conflicts(conflicts) => {
                let paths: Vec<String> = conflicts
                    .iter()
                    .map(|conflict| String::from_utf8_lossy(&conflict.key).into_owned())
                    .collect();
                Err(conflict_error(branch, &paths))
            }
        }
    }
}

impl MergeRequest {
    /// Refuses texts that are too long, and a branch that is to be merged into itself.
    pub(super) fn check(&self) -> Result<()> {
        Commit::check_limits(&self.committer, &self.message, &self.metadata)?;
        refuse_same_branch(&self.source, &self.destination)
    }

    /// What tells this request from others.
    pub(super) fn identity(&self, repository: &RepositoryName) -> IdentityHasher {
        let names = ["merge", repository.as_str(), self.source.text(), self.destination.as_str()];
        let texts = [strategy_name(self.strategy), &self.committer, &self.message];
        let flags = i64::from(self.squash) * 2 + i64::from(self.allow_empty);
        let hasher = IdentityHasher::new().strings(&names).strings(&texts).map(&self.metadata).int64(flags);
        self.time.into_iter().fold(hasher, |hasher, time| hasher.int64(time.seconds))
    }

    fn text(&self, catalog: &Catalog) -> CommitText {
        let message = match self.message.as_str() {
            "" => format!("Merge '{}' into '{}'", self.source, self.destination),
            given => given.to_owned(),
        };
        let mut metadata = self.metadata.clone();
        metadata.insert(STRATEGY_KEY.to_owned(), strategy_name(self.strategy).to_owned());
        CommitText {
            committer: self.committer.clone(),
            message,
            metadata,
            time: self.time.unwrap_or_else(|| catalog.now()),
        }
    }
}

fn nothing_to_merge(merge: &MergeRequest) -> Error {
    let message = format!("'{}' has nothing that branch '{}' lacks", merge.source, merge.destination);
    Error::new(Code::NothingToMerge, merge.source.text(), message)
}

/// The error of commits without a common ancestor.
pub(super) fn no_base(left: CommitId, right: CommitId) -> Error {
    Error::new(
        Code::NoMergeBase,
        right.to_hex(),
        format!("commits '{left}' and '{right}' have no common ancestor"),
    )
}

/// The strategy as a commit says it.
pub(super) fn strategy_name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Refuse => "default",
        Strategy::SourceWins => "source-wins",
        Strategy::DestWins => "dest-wins",
    }
}

/// Refuses a branch that is to be merged into itself.
pub(super) fn refuse_same_branch(source: &RefExpression, destination: &BranchName) -> Result<()> {
    if source.base() != destination.as_str() || !source.modifiers().is_empty() {
        return Ok(());
    }
    let message = format!("branch '{destination}' cannot be merged into itself");
    Err(Error::new(Code::SameBranch, destination.as_str(), message))
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
