//! What was last seen of branches: it tells which keys an operation is going to read, so that one request reads them all.
//!
//! A hint decides nothing. Whoever follows it compares it with the branch as it is, and a wrong one costs a round trip.

use std::sync::Arc;
use std::time::Duration;

use braid_types::{BranchName, ObjectPath, RefExpression, RepositoryId, RepositoryName, View};
use bytes::Bytes;
use moka::sync::Cache;

use crate::operation::stage::BranchAddress;
use crate::record::{self, BranchRecord, OpenLayer, RepositoryRecord, staged};
use crate::tall::Tall;
use crate::view::Stack;

/// How many branches and repositories are remembered, and for how long after they were last asked for.
const BRANCHES: u64 = 100_000;
const REPOSITORIES: u64 = 10_000;
const IDLE: Duration = Duration::from_secs(3600);

/// What was last seen of a branch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    repository: RepositoryId,
    /// The layer that took writes.
    pub(crate) open: OpenLayer,
    stack: Stack,
}

/// What was last seen of branches, by the names of their repositories and their own, and of repositories.
#[derive(Clone)]
pub(crate) struct Hints {
    branches: Cache<(RepositoryName, BranchName), Arc<Hint>>,
    repositories: Cache<RepositoryName, Arc<RepositoryRecord>>,
    tall: Arc<Tall>,
    /// A branch with more layers is tall.
    fold_layers: usize,
}

impl Hints {
    pub(crate) fn new(fold_layers: usize) -> Self {
        Self {
            tall: Arc::default(),
            fold_layers,
            branches: Cache::builder().max_capacity(BRANCHES).time_to_idle(IDLE).build(),
            repositories: Cache::builder().max_capacity(REPOSITORIES).time_to_idle(IDLE).build(),
        }
    }

    /// The branches whose layers are to be folded.
    pub(crate) fn tall(&self) -> &Arc<Tall> {
        &self.tall
    }

    pub(crate) fn repository(&self, name: &RepositoryName) -> Option<Arc<RepositoryRecord>> {
        self.repositories.get(name)
    }

    pub(crate) fn of(&self, repository: &RepositoryName, branch: &BranchName) -> Option<Arc<Hint>> {
        self.branches.get(&(repository.clone(), branch.clone()))
    }

    /// Notes a branch and its repository as they were read.
    pub(crate) fn note(
        &self,
        repository: &RepositoryRecord,
        branch: &BranchName,
        record: &BranchRecord,
    ) -> Arc<Hint> {
        if self.repository(&repository.name).is_none_or(|known| *known != *repository) {
            self.repositories.insert(repository.name.clone(), Arc::new(repository.clone()));
        }
        if record.sealed.len() > self.fold_layers {
            self.tall.note(&BranchAddress { repository: repository.name.clone(), branch: branch.clone() });
        }
        let hint = Hint { repository: repository.id, open: record.open, stack: Stack::staged(record) };
        if let Some(known) = self.of(&repository.name, branch).filter(|known| **known == hint) {
            return known;
        }
        let hint = Arc::new(hint);
        self.branches.insert((repository.name.clone(), branch.clone()), Arc::clone(&hint));
        hint
    }

    /// The keys that a reader of `path` at `reference` reads, if it names a branch that was seen.
    pub(crate) fn reads(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        path: &ObjectPath,
    ) -> Option<Vec<Bytes>> {
        let branch = BranchName::new(reference.base()).ok()?;
        let hint = self.of(repository, &branch)?;
        let mut keys = hint.branch_keys(repository, &branch).to_vec();
        if reference.view() != View::Committed && reference.modifiers().is_empty() {
            keys.extend(hint.staged_keys(path.as_bytes()));
        }
        Some(keys)
    }
}

impl Hint {
    /// The keys of the repository and of the branch.
    pub(crate) fn branch_keys(&self, repository: &RepositoryName, branch: &BranchName) -> [Bytes; 2] {
        [record::repository::key(repository), record::branch::key(&self.repository, branch)]
    }

    /// Where a path may be staged.
    pub(crate) fn staged_keys(&self, path: &[u8]) -> impl Iterator<Item = Bytes> + use<> {
        self.stack.trace(path).staged.into_iter().map(|(token, path)| staged::key(&token, &path))
    }
}
