//! Plans: what is to become of branches, worked out step by step on one state of the store and published in one transaction.
//!
//! | word | meaning |
//! |---|---|
//! | step | a commit, a merge, a hard reset, a tag: each sees what the steps before it left |
//! | course | what is to become of one branch: from the record that was found to the one that is planned |
//! | foreign | of a course: readers of the branch see something else after it, so it needs the fence and a clean branch |
//!
//! A step that fails leaves nothing in the plan. Trees are written while they are planned ([`Uploads`]), so that publishing
//! writes nothing but records.

use std::collections::BTreeMap;
use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::{RangeStore, TreeId};
use braid_types::{BranchName, Commit, CommitId, RepositoryId, RepositoryName, Result, TagName};
use bytes::Bytes;

use super::import::PlannedImport;
use super::publish::dirty;
use super::pulls::PlannedPull;
use super::seal::is_clean;
use super::seal_all::Cut;
use super::tree_files::Uploads;
use crate::catalog::{Catalog, load_branch, load_writable};
use crate::commits::RepositoryCommits;
use crate::draft::Draft;
use crate::graph::Reached;
use crate::mutation::Mutation;
use crate::record::ref_change::{RefEvent, RefMove};
use crate::record::{self, BranchRecord, RepositoryRecord};

/// What is to be published together.
pub(crate) struct Plan<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) draft: Draft,
    /// What of the branches' own layers is to be seen.
    cut: Cut,
    uploads: &'a Uploads,
    /// By the keys of the branches: in this order they are locked.
    pub(super) courses: BTreeMap<Bytes, Course>,
    /// Commits that the steps made, by their keys.
    pub(super) commits: Vec<(Bytes, Bytes)>,
    pub(super) tags: Vec<PlannedTag>,
    /// What was known before of the ancestors of a branch's head.
    known: Option<Reached>,
    /// Imports that end with the plan.
    pub(super) imports: Vec<PlannedImport>,
    /// Pull requests that are merged with the plan, by their keys.
    pub(super) pulls: BTreeMap<Bytes, PlannedPull>,
    /// What the change log is to say, in order.
    pub(super) log: Vec<PlannedMove>,
}

/// What is to become of one branch.
pub(super) struct Course {
    pub(super) repository: RepositoryRecord,
    pub(super) name: BranchName,
    /// As it was found.
    pub(super) found: BranchRecord,
    /// As it is to be.
    pub(super) planned: BranchRecord,
    /// How many of the sealed layers that were found are in the planned base.
    pub(super) folded: usize,
    pub(super) foreign: bool,
    /// That it was seen to be clean but for the layers that a step has folded.
    clean: bool,
    reached: Option<Reached>,
}

/// A tag that is to be made.
pub(super) struct PlannedTag {
    pub(super) repository: RepositoryRecord,
    pub(super) name: TagName,
    pub(super) commit: CommitId,
}

/// A row of the change log.
pub(super) struct PlannedMove {
    pub(super) repository: RepositoryId,
    pub(super) by: Mutation,
    pub(super) what: RefMove,
}

/// Whose step it is, and in which repository.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) repository: &'a RepositoryRecord,
    pub(crate) by: &'a Mutation,
}

/// What a step makes of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Its own layers go into its base: readers see the same.
    Own,
    /// Readers see something else.
    Foreign,
}

impl<'a> Plan<'a> {
    /// An empty plan on this state.
    pub(crate) fn new(catalog: &'a Catalog, snapshot: Arc<dyn Snapshot>, uploads: &'a Uploads) -> Self {
        let draft = Draft::new(snapshot);
        let (courses, commits) = (BTreeMap::new(), Vec::new());
        Self {
            catalog,
            draft,
            cut: Cut::default(),
            uploads,
            courses,
            commits,
            tags: Vec::new(),
            known: None,
            imports: Vec::new(),
            pulls: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    /// The same for branches that were divided at one moment, on a state in which the cut is whole: their later layers are no part
    /// of it.
    pub(super) fn cut_at(self, cut: Cut) -> Self {
        Self { cut, ..self }
    }

    /// A repository that is to be changed.
    pub(super) async fn repository(&self, name: &RepositoryName) -> Result<RepositoryRecord> {
        load_writable(&self.draft, name).await
    }

    /// A branch as the steps so far leave it.
    pub(super) async fn branch(
        &mut self,
        repository: &RepositoryRecord,
        name: &BranchName,
    ) -> Result<BranchRecord> {
        let key = record::branch::key(&repository.id, name);
        if let Some(course) = self.courses.get(&key) {
            return Ok(course.planned.clone());
        }
        let mut found = load_branch(&self.draft, repository, name).await?;
        self.catalog.hints().note(repository, name, &found);
        self.cut.apply(&key, &mut found);
        let course = Course {
            repository: repository.clone(),
            name: name.clone(),
            planned: found.clone(),
            found: found.clone(),
            folded: 0,
            foreign: false,
            clean: false,
            reached: None,
        };
        self.courses.insert(key, course);
        Ok(found)
    }

    /// The same, without uncommitted changes. This finds a dirty branch before work is done in vain; what counts is looked
    /// at again under the fence.
    ///
    /// # Errors
    /// [`Code::DirtyBranch`](braid_types::Code::DirtyBranch).
    pub(super) async fn clean_branch(
        &mut self,
        repository: &RepositoryRecord,
        name: &BranchName,
    ) -> Result<BranchRecord> {
        let branch = self.branch(repository, name).await?;
        let key = record::branch::key(&repository.id, name);
        let course = self.courses.get_mut(&key).expect("its course was begun");
        if !course.clean {
            if !is_clean(&self.draft, &branch).await? {
                return Err(dirty(name));
            }
            course.clean = true;
        }
        Ok(branch)
    }

    /// Commits of a repository, those of this plan among them.
    pub(super) fn commits_of(&self, repository: &RepositoryRecord) -> RepositoryCommits<'_> {
        RepositoryCommits::new(self.catalog, &self.draft, repository.id)
    }

    /// Whether the branch's head is, or has among its ancestors, `commit`; and the tree of their merge base, `None` inside if
    /// they have no history in common.
    pub(super) async fn reach(
        &mut self,
        repository: &RepositoryRecord,
        name: &BranchName,
        commit: CommitId,
    ) -> Result<(bool, Option<TreeId>)> {
        let key = record::branch::key(&repository.id, name);
        let course = self.courses.get_mut(&key).expect("its course was begun");
        let commits = RepositoryCommits::new(self.catalog, &self.draft, repository.id);
        let reached = match &mut course.reached {
            Some(reached) => reached,
            None => {
                let known = self.known.take().filter(|known| known.head() == course.planned.head);
                let begun = match known {
                    Some(known) => known,
                    None => Reached::new(&commits, course.planned.head).await?,
                };
                course.reached.insert(begun)
            }
        };
        let has = reached.has(&commits, commit).await?;
        let base = match reached.base(&commits, commit).await? {
            Some(base) => Some(self.catalog.load_commit(&self.draft, repository, &base).await?.metarange),
            None => None,
        };
        Ok((has, base))
    }

    /// Lets the plan use what is known already of the ancestors of a head.
    pub(super) fn know_reached(&mut self, known: Option<Reached>) {
        self.known = known;
    }

    /// What is known of the ancestors of the first branch's new head.
    pub(super) fn take_reached(&mut self) -> Option<Reached> {
        self.courses.values_mut().next()?.reached.take()
    }

    /// The ranges of a repository, those that this plan writes among them.
    pub(super) async fn ranges(&self, repository: &RepositoryRecord) -> Result<Arc<dyn RangeStore>> {
        self.uploads.ranges(self.catalog, repository).await
    }

    /// Moves a branch to a commit that was made for it, whose first parent is its head.
    pub(super) async fn advance(
        &mut self,
        place: Place<'_>,
        name: &BranchName,
        commit: Commit,
        effect: Effect,
    ) -> Result<CommitId> {
        let id = commit.id();
        let key = record::commit::key(&place.repository.id, &id);
        let row = record::commit::encode(&commit);
        self.draft.put(key.clone(), row.clone());
        let course = self.courses.get_mut(&record::branch::key(&place.repository.id, name));
        if let Some(reached) = course.and_then(|course| course.reached.as_mut()) {
            let commits = RepositoryCommits::new(self.catalog, &self.draft, place.repository.id);
            reached.advance(&commits, id).await?;
        }
        self.commits.push((key, row));
        self.set_head(place, name, id, commit.metarange, effect);
        Ok(id)
    }

    /// Moves a branch to a commit that was there before.
    pub(super) fn jump(&mut self, place: Place<'_>, name: &BranchName, head: CommitId, tree: TreeId) {
        self.set_head(place, name, head, tree, Effect::Foreign);
        let key = record::branch::key(&place.repository.id, name);
        self.courses.get_mut(&key).expect("its course was begun").reached = None;
    }

    fn set_head(
        &mut self,
        place: Place<'_>,
        name: &BranchName,
        head: CommitId,
        tree: TreeId,
        effect: Effect,
    ) {
        let key = record::branch::key(&place.repository.id, name);
        let course = self.courses.get_mut(&key).expect("its course was begun");
        let before = course.planned.head;
        (course.planned.head, course.planned.base) = (head, tree);
        match effect {
            Effect::Own => course.folded += std::mem::take(&mut course.planned.sealed).len(),
            Effect::Foreign => course.foreign = true,
        }
        self.draft.put(key, course.planned.encode());
        let what = RefMove::new(RefEvent::BranchMoved, name.as_str(), Some(before), Some(head));
        self.log.push(PlannedMove { repository: place.repository.id, by: place.by.clone(), what });
    }

    /// Makes a tag.
    pub(super) fn add_tag(&mut self, place: Place<'_>, name: &TagName, commit: CommitId) {
        let (repository, name) = (place.repository.clone(), name.clone());
        self.draft.put(record::tag::key(&repository.id, &name), record::tag::encode(&commit));
        let what = RefMove::new(RefEvent::TagCreated, name.as_str(), None, Some(commit));
        self.log.push(PlannedMove { repository: repository.id, by: place.by.clone(), what });
        self.tags.push(PlannedTag { repository, name, commit });
    }

    /// Waits until every tree of the plan is durable.
    pub(super) async fn finish_uploads(&self) -> Result<()> {
        self.uploads.finish().await
    }
}
