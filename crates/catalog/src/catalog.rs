//! The catalog itself: its parts, and how it reaches records.

use std::sync::Arc;
use std::time::Duration;

use braid_kv::{Kv, LanePool, Mode, Outcome, Snapshot, Transaction};
use braid_tree::{Pool, RangeStore, TreeFormat};
use braid_types::{
    BranchName, Clock, Code, Commit, CommitId, Error, Random, RepositoryId, RepositoryName, Result,
    StagingToken, Time,
};
use bytes::Bytes;
use moka::sync::Cache;

use crate::hints::Hints;
use crate::hooks::{Hook, Hooks};
use crate::operation::queue::Line;
use crate::operation::stage::{BranchAddress, Group};
use crate::record::lease::Holder;
use crate::record::{self, BranchRecord, OpenLayer, RepositoryRecord, RepositoryState};
use crate::storage::Storage;
use crate::view::Reads;

/// Lanes of a branch's fence. Whoever changes the structure of a branch, or seals it, writes every one of them, and those who
/// write to a branch on one node go together in one transaction: few are enough.
const BRANCH_LANES: u16 = 8;
/// The format version of repositories that are created now.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// What a catalog is made of.
#[derive(Clone)]
pub struct Components {
    /// Where mutable state lives.
    pub kv: Arc<dyn Kv>,
    /// Where committed data lives.
    pub storage: Arc<dyn Storage>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids.
    pub random: Arc<dyn Random>,
}

/// What can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often an operation that lost a race is done again before it is refused as a conflict.
    pub attempts: u32,
    /// How long a sealer waits for writers.
    pub lock_wait: Duration,
    /// How long the result of a request is kept for retries.
    pub request_lifetime: Duration,
    /// How long after it was dropped a staging token is destroyed; longer than any snapshot lives.
    pub destroy_delay: Duration,
    /// How long after its content a staging token's fence is destroyed: a writer that saw it open, however late, must meet it.
    /// As long as the key-value store keeps old states.
    pub fence_delay: Duration,
    /// How long a node keeps a background task that it does not renew.
    pub lease_lifetime: Duration,
    /// How often it is written down how far an import is; less than half a minute, after which another node takes it.
    pub import_beat: Duration,
    /// Directories with no more entries are moved, deleted and reset entry by entry, which leaves no layer; at least 1.
    pub small_directory: usize,
    /// A branch with more layers of uncommitted change gets them folded without a commit.
    pub fold_layers: usize,
    /// So does one with about so many staged entries in one layer.
    pub fold_entries: u64,
    /// How many commits are kept in memory.
    pub cached_commits: u64,
    /// Overrides the rules of trees, for tests with small ranges; `None` takes those of the repository's format version.
    pub tree_format: Option<TreeFormat>,
    /// How many threads compute folds, merges and diffs; with 0 they are computed where they are awaited.
    pub compute_threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            attempts: 32,
            lock_wait: Duration::from_secs(5),
            request_lifetime: Duration::from_secs(24 * 3600),
            destroy_delay: Duration::from_secs(20 * 60),
            fence_delay: Duration::from_secs(24 * 3600),
            lease_lifetime: Duration::from_secs(5 * 60),
            import_beat: Duration::from_secs(1),
            small_directory: 32,
            fold_layers: 8,
            fold_entries: 100_000,
            cached_commits: 100_000,
            tree_format: None,
            compute_threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// All operations on repositories, refs and objects. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) parts: Components,
    pub(crate) settings: Arc<Settings>,
    lanes: Cache<[u8; 16], LanePool>,
    commits: Cache<(RepositoryId, CommitId), Arc<Commit>>,
    lines: Cache<BranchAddress, Arc<Line>>,
    hints: Hints,
    hooks: Hooks,
    holder: Holder,
    groups: Cache<BranchAddress, Arc<Group>>,
    pool: Pool,
}

impl Catalog {
    /// A catalog over `parts`.
    pub fn new(parts: Components, settings: Settings) -> Self {
        let idle = Duration::from_secs(600);
        Self {
            lanes: Cache::builder().max_capacity(10_000).time_to_idle(idle).build(),
            commits: Cache::new(settings.cached_commits),
            lines: Cache::builder().max_capacity(10_000).time_to_idle(idle).build(),
            holder: Holder::random(&*parts.random),
            hints: Hints::new(settings.fold_layers),
            hooks: Hooks::default(),
            groups: Cache::builder().max_capacity(10_000).time_to_idle(idle).build(),
            pool: match settings.compute_threads {
                0 => Pool::inline(),
                threads => Pool::new(threads),
            },
            parts,
            settings: Arc::new(settings),
        }
    }

    /// The same with hooks, asked and told in this order.
    #[must_use]
    pub fn with_hooks(self, hooks: Vec<Arc<dyn Hook>>) -> Self {
        Self { hooks: Hooks::new(hooks), ..self }
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// A repository as it was last seen in this process, which may have been changed or deleted since. For callers whose
    /// work is refused then: [`stage_in`](Self::stage_in) wants exactly this one.
    pub fn known_repository(&self, name: &RepositoryName) -> Option<Arc<RepositoryRecord>> {
        self.hints.repository(name)
    }

    /// The store's newest state.
    pub(crate) async fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        Ok(self.parts.kv.snapshot().await?)
    }

    /// Begins an optimistic transaction.
    pub(crate) async fn begin(&self) -> Result<Box<dyn Transaction>> {
        Ok(self.parts.kv.begin(Mode::Optimistic).await?)
    }

    /// Begins a transaction that can hold fences.
    pub(crate) async fn begin_exclusive(&self) -> Result<Box<dyn Transaction>> {
        Ok(self.parts.kv.begin(Mode::Pessimistic).await?)
    }

    pub(crate) fn now(&self) -> Time {
        self.parts.clock.now()
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.parts.random
    }

    /// Where trees are computed.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// A new open layer.
    pub(crate) fn fresh_layer(&self) -> OpenLayer {
        let lanes = self.parts.kv.lanes().min(BRANCH_LANES);
        OpenLayer { token: StagingToken::random(self.random()), lanes }
    }

    /// The lanes of a fence as this process uses them; `owner` is the staging token or repository that it guards.
    pub(crate) fn lanes(&self, owner: &[u8; 16], lanes: u16) -> LanePool {
        let first = || u16::from_be_bytes(self.random().bytes());
        self.lanes.get_with(*owner, || LanePool::new(lanes, first()))
    }

    /// Where what moves a branch's head lines up in this process.
    pub(crate) fn line(&self, branch: &BranchAddress) -> Arc<Line> {
        self.lines.get_with_by_ref(branch, Arc::default)
    }

    /// This process, among those that take leases.
    pub(crate) fn holder(&self) -> Holder {
        self.holder
    }

    /// What was last seen of branches.
    pub(crate) fn hints(&self) -> &Hints {
        &self.hints
    }

    /// Where what is to be staged on a branch is gathered in this process.
    pub(crate) fn group(&self, branch: &BranchAddress) -> Arc<Group> {
        self.groups.get_with_by_ref(branch, Arc::default)
    }

    pub(crate) fn cached_commits(&self) -> &Cache<(RepositoryId, CommitId), Arc<Commit>> {
        &self.commits
    }

    /// The ranges of a repository.
    pub(crate) async fn ranges(&self, repository: &RepositoryRecord) -> Result<Arc<dyn RangeStore>> {
        self.parts.storage.ranges(&repository.storage_namespace).await
    }

    /// The rules by which a repository's trees are built.
    pub(crate) fn tree_format(&self, repository: &RepositoryRecord) -> Result<TreeFormat> {
        if let Some(format) = self.settings.tree_format {
            return Ok(format);
        }
        TreeFormat::version(repository.format_version).ok_or_else(|| {
            let message = format!(
                "repository '{}' has format version {}; this version of Braid knows up to {FORMAT_VERSION}",
                repository.name, repository.format_version
            );
            Error::new(Code::UnsupportedFormat, repository.name.as_str(), message)
        })
    }
}

/// The repository of this name.
pub(crate) async fn load_repository(reads: &dyn Reads, name: &RepositoryName) -> Result<RepositoryRecord> {
    decode_repository(name, reads.get(&record::repository::key(name)).await?)
}

fn decode_repository(name: &RepositoryName, row: Option<Bytes>) -> Result<RepositoryRecord> {
    RepositoryRecord::decode(name.clone(), &row.ok_or_else(|| no_repository(name))?)
}

/// The error for a repository that is not there.
pub(crate) fn no_repository(name: &RepositoryName) -> Error {
    Error::new(Code::RepositoryNotFound, name.as_str(), format!("there is no repository '{name}'"))
}

/// The repository of this name, for a mutation.
pub(crate) async fn load_writable(reads: &dyn Reads, name: &RepositoryName) -> Result<RepositoryRecord> {
    decode_writable(name, reads.get(&record::repository::key(name)).await?)
}

/// The repository in a row, for a mutation.
pub(crate) fn decode_writable(name: &RepositoryName, row: Option<Bytes>) -> Result<RepositoryRecord> {
    let repository = decode_repository(name, row)?;
    match repository.state {
        RepositoryState::Active => Ok(repository),
        RepositoryState::ReadOnly => {
            Err(Error::new(Code::ReadOnly, name.as_str(), format!("repository '{name}' is read-only")))
        }
    }
}

/// The branch of this name.
pub(crate) async fn load_branch(
    reads: &dyn Reads,
    repository: &RepositoryRecord,
    name: &BranchName,
) -> Result<BranchRecord> {
    decode_branch(repository, name, reads.get(&record::branch::key(&repository.id, name)).await?)
}

/// The branch in a row.
pub(crate) fn decode_branch(
    repository: &RepositoryRecord,
    name: &BranchName,
    row: Option<Bytes>,
) -> Result<BranchRecord> {
    BranchRecord::decode(&row.ok_or_else(|| no_branch(repository, name))?)
}

/// The error for a branch that is not there.
pub(crate) fn no_branch(repository: &RepositoryRecord, name: &BranchName) -> Error {
    let message = format!("repository '{}' has no branch '{name}'", repository.name);
    Error::new(Code::BranchNotFound, name.as_str(), message)
}

/// Ends a transaction: `None` if it was committed, the conflict if another came first.
///
/// # Errors
/// [`Code::OutcomeUnknown`] when it may have been committed; any other error when it was not.
pub(crate) async fn finish(txn: Box<dyn Transaction>, subject: &str) -> Result<Option<Error>> {
    match txn.commit().await {
        Outcome::Committed(_) => Ok(None),
        Outcome::Conflict(conflict) => Ok(Some(conflict.into())),
        Outcome::Refused(error) => Err(error.into()),
        Outcome::Unknown(reason) => {
            let message = format!("whether the change to '{subject}' was made is not known: {reason}");
            Err(Error::new(Code::OutcomeUnknown, subject, message))
        }
    }
}
