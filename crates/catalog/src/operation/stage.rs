//! Staging puts and deletes in open layers, by jobs: load, [mod@decide], write, commit.

mod board;
mod condition;
mod decide;
mod group;
mod job;
mod run;
mod sources;
mod staging;

use std::collections::BTreeMap;
use std::sync::Arc;

use braid_types::{
    BranchName, Entry, Error, ObjectPath, RefExpression, RepositoryId, RepositoryName, Result, limits,
};

pub(crate) use board::staged_states;
pub use condition::Condition;
pub(crate) use decide::Step;
pub(crate) use group::Group;
pub use job::BranchAddress;
pub(crate) use job::{Job, PathCondition, Placed};
pub(crate) use staging::{Ahead, Entered};

use crate::catalog::Catalog;
use crate::mutation::Mutation;
use crate::record::RepositoryRecord;

/// One change to the staging area of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagedOperation {
    /// Maps a path to an entry.
    Put {
        /// The path.
        path: ObjectPath,
        /// What it maps to from now on.
        entry: Entry,
        /// What must hold of the path.
        condition: Condition,
    },
    /// Removes a path. Removing one that is not there changes nothing.
    Delete {
        /// The path.
        path: ObjectPath,
        /// What must hold of the path.
        condition: Condition,
    },
    /// Maps a path to what another one maps to, and removes that one.
    Move {
        /// The path that is there.
        source: ObjectPath,
        /// Its new name.
        destination: ObjectPath,
        /// Whether an object at the new name may be lost.
        overwrite: bool,
    },
    /// Maps a path to what another one maps to. Both share the data.
    Copy {
        /// What is copied.
        source: CopySource,
        /// The path that is to show it.
        path: ObjectPath,
        /// The user's own keys and values of the copy; none: those of the source.
        metadata: Option<BTreeMap<String, String>>,
        /// What must hold of the path.
        condition: Condition,
    },
}

/// What an object is copied from, in the repository of the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// At which state: a bare branch name is the branch with what is staged on it, by the transaction itself too. None: the
    /// branch of the copy.
    pub reference: Option<RefExpression>,
    /// The source's path.
    pub path: ObjectPath,
}

/// How one operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The entry was put.
    Put,
    /// The path was removed.
    Deleted,
    /// The object has its new name.
    Moved,
    /// The path shows this now.
    Copied(Entry),
    /// There was nothing at the path.
    Missing,
}

/// One change to a branch, of a request of its own.
#[derive(Debug)]
pub struct StagedChange {
    /// The repository, exactly this one.
    pub repository: Arc<RepositoryRecord>,
    /// The branch.
    pub branch: BranchName,
    /// What is to be done.
    pub operation: StagedOperation,
    /// For whom, and under which request id.
    pub mutation: Mutation,
}

impl StagedChange {
    fn job(&self) -> Result<Job> {
        let Self { repository, branch, operation, mutation } = self;
        let at = BranchAddress { repository: repository.name.clone(), branch: branch.clone() };
        Job::on_branch(at, Some(repository.id), std::slice::from_ref(operation), mutation)
    }
}

impl Catalog {
    /// Carries out up to 10,000 operations on a branch, in order, in one transaction: all or none.
    ///
    /// # Errors
    /// [`Code::PreconditionFailed`](braid_types::Code::PreconditionFailed) names the first path whose condition does not
    /// hold.
    pub async fn stage(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        operations: &[StagedOperation],
        mutation: &Mutation,
    ) -> Result<Vec<Applied>> {
        self.stage_into(repository, None, branch, operations, mutation).await
    }

    /// The same into exactly this repository: entries whose addresses are relative to its storage namespace are nothing
    /// in another one, even of the same name.
    ///
    /// # Errors
    /// [`Code::RepositoryNotFound`](braid_types::Code::RepositoryNotFound) if it was deleted, whether or not one of its name
    /// was made since.
    pub async fn stage_in(
        &self,
        repository: &RepositoryRecord,
        branch: &BranchName,
        operations: &[StagedOperation],
        mutation: &Mutation,
    ) -> Result<Vec<Applied>> {
        self.stage_into(&repository.name, Some(repository.id), branch, operations, mutation).await
    }

    /// Carries out changes that are each for themselves, as many calls of [`Catalog::stage_in`] would; answers in their order.
    /// There may be no more than [`limits::LINK_EACH_CALLS`].
    pub async fn stage_each(&self, changes: Vec<StagedChange>) -> Vec<Result<Vec<Applied>>> {
        assert!(changes.len() <= limits::LINK_EACH_CALLS, "the caller limits the changes");
        let mut ended = Vec::with_capacity(changes.len());
        let mut jobs = Vec::with_capacity(changes.len());
        for change in changes {
            let job = change.job();
            ended.push(job.as_ref().map(|_| Vec::new()).map_err(Error::clone));
            jobs.extend(job);
        }
        let mut done = self.run_together(jobs).await.into_iter();
        let made = ended.iter_mut().filter(|ended| ended.is_ok());
        made.for_each(|ended| *ended = done.next().expect("every job has ended"));
        ended
    }

    async fn stage_into(
        &self,
        repository: &RepositoryName,
        pin: Option<RepositoryId>,
        branch: &BranchName,
        operations: &[StagedOperation],
        mutation: &Mutation,
    ) -> Result<Vec<Applied>> {
        let at = BranchAddress { repository: repository.clone(), branch: branch.clone() };
        let job = Job::on_branch(at, pin, operations, mutation)?;
        self.run_job(job).await
    }
}
