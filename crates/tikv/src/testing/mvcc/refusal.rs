//! Why a command is refused.

use bytes::Bytes;

use super::Lock;

/// The rule that a conflicting version broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConflictReason {
    Optimistic,
    PessimisticRetry,
    SelfRolledBack,
    LazyUniquenessCheck,
}

/// A version of a key that a transaction must not write over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) start: u64,
    pub(crate) conflict_start: u64,
    pub(crate) conflict_commit: u64,
    pub(crate) key: Bytes,
    pub(crate) primary: Bytes,
    pub(crate) reason: ConflictReason,
}

/// Why a transaction cannot go on, in words only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Abort {
    #[error("transaction {start} is already committed at {commit} on key {key:?}")]
    Committed { start: u64, commit: u64, key: Bytes },
    #[error("the pessimistic lock of transaction {start} on key {key:?} is not there")]
    PessimisticLockNotFound { start: u64, key: Bytes },
    #[error("transaction {start} is rolled back on key {key:?}")]
    PessimisticLockRolledBack { start: u64, key: Bytes },
    #[error("the lock of transaction {start} on key {key:?} is of the other kind")]
    LockTypeNotMatch { start: u64, key: Bytes },
    #[error("commit timestamp {commit} is not after the start {start}")]
    InvalidTimestamps { start: u64, commit: u64 },
    #[error("a pessimistic transaction cannot check that key {key:?} does not exist")]
    CheckNotExistsInPessimistic { key: Bytes },
    #[error("key {key:?} cannot be locked only if it exists without asking for its value")]
    LockIfExistsWithoutValue { key: Bytes },
    #[error("the mutation of key {key:?} is of a kind that does not belong in the request")]
    UnfitMutation { key: Bytes },
    #[error("{actions} pessimistic actions were sent for {mutations} mutations")]
    UnevenActions { actions: usize, mutations: usize },
}

/// Why a command is refused; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("key {key:?} is locked by transaction {}", lock.start)]
    Locked { key: Bytes, lock: Box<Lock> },
    #[error("write conflict of transaction {} with {} on key {:?}", .0.start, .0.conflict_commit, .0.key)]
    WriteConflict(Box<Conflict>),
    #[error("key {key:?} exists already")]
    AlreadyExists { key: Bytes },
    #[error("commit timestamp {attempted} of key {key:?} is before {min_commit}")]
    CommitExpired { start: u64, attempted: u64, key: Bytes, min_commit: u64 },
    #[error("transaction {start} is not known on its primary key {primary:?}")]
    TxnNotFound { start: u64, primary: Bytes },
    #[error("transaction {start} has no lock on key {key:?}")]
    TxnLockNotFound { start: u64, key: Bytes },
    #[error("an assertion of transaction {start} about key {key:?} failed")]
    AssertionFailed { start: u64, key: Bytes, must_exist: bool, existing: Option<(u64, u64)> },
    #[error("key {key:?} is not the primary of transaction {}", lock.start)]
    PrimaryMismatch { key: Bytes, lock: Box<Lock> },
    #[error(transparent)]
    Abort(#[from] Abort),
}

impl Refusal {
    pub(super) fn locked(key: &Bytes, lock: &Lock) -> Self {
        Self::Locked { key: key.clone(), lock: Box::new(lock.clone()) }
    }
}

impl From<Conflict> for Refusal {
    fn from(conflict: Conflict) -> Self {
        Self::WriteConflict(Box::new(conflict))
    }
}
