//! What can go wrong in a store, and what the caller should do about it.

use crate::Timestamp;
use bytes::Bytes;
use std::time::Duration;

/// A failure of a store. Whatever returns it has changed nothing; the one exception is
/// [`Kv::destroy`](crate::Kv::destroy), which may be half done and is simply done again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KvError {
    /// The state at that timestamp is no longer held, or never was.
    #[error("the snapshot at '{timestamp}' has expired")]
    SnapshotExpired {
        /// The timestamp asked for.
        timestamp: Timestamp,
    },
    /// Another transaction held the key for the whole wait.
    #[error("the key '{}' stayed locked for {waited:?}", key.escape_ascii())]
    LockTimeout {
        /// The key asked for.
        key: Bytes,
        /// How long was waited.
        waited: Duration,
    },
    /// Waiting for the key would have closed a circle of transactions that wait for each other.
    #[error("waiting for the key '{}' would never end: its holder waits for this transaction", key.escape_ascii())]
    Deadlock {
        /// The key asked for.
        key: Bytes,
    },
    /// The transaction exceeds a limit of the store.
    #[error("the {what} of the transaction is {size}, over the limit of {limit}")]
    TooLarge {
        /// What was measured.
        what: Measure,
        /// What it was.
        size: usize,
        /// What it may be.
        limit: usize,
    },
    /// As many transactions are open as the store allows.
    #[error("all of the {limit} transactions that may be open at once are open")]
    Busy {
        /// How many transactions may be open.
        limit: usize,
    },
    /// The store cannot be reached now.
    #[error("the store is not available: {cause}")]
    Unavailable {
        /// What was met.
        cause: String,
    },
    /// The cluster is not one to work with, or does not speak as it should.
    #[error("the cluster cannot be used: {cause}")]
    Cluster {
        /// What was met.
        cause: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// An earlier write failed, so the store takes no more of them until it is opened again.
    #[error("the store takes no writes since an earlier one failed: {cause}")]
    Halted {
        /// The failure that stopped it.
        cause: String,
    },
    /// The file is open already, in this process or another.
    #[error("the store '{store}' is already open")]
    InUse {
        /// Which store.
        store: String,
    },
    /// The store was written by a newer version of this program.
    #[error("the store has format {found}; this program supports up to {supported}")]
    Format {
        /// The format met.
        found: u32,
        /// The newest format that is understood.
        supported: u32,
    },
    /// What was read is not what this program writes.
    #[error("the store is corrupted: {what}")]
    Corrupted {
        /// What is wrong with it.
        what: String,
    },
    /// The disk or the file system failed.
    #[error("the storage failed to {operation}: {cause}")]
    Storage {
        /// What was being done.
        operation: &'static str,
        /// What the system said.
        cause: String,
    },
}

/// What of a transaction exceeds a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How many keys it writes or locks.
    Keys,
    /// Bytes of all its keys and values.
    Bytes,
    /// Bytes of one key.
    KeyLength,
    /// Bytes of one value.
    ValueLength,
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keys => "number of keys",
            Self::Bytes => "size in bytes",
            Self::KeyLength => "longest key in bytes",
            Self::ValueLength => "longest value in bytes",
        })
    }
}

/// What a caller should do about a [`KvError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Do the whole transaction again, a little later.
    Retry,
    /// Read again from a fresh snapshot; the old state is gone.
    Expired,
    /// Ask for less: the same request will always be refused.
    Refused,
    /// Nothing helps but an operator.
    Fatal,
}

impl KvError {
    /// What to do about this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::LockTimeout { .. }
            | Self::Deadlock { .. }
            | Self::Busy { .. }
            | Self::Unavailable { .. } => ErrorKind::Retry,
            Self::SnapshotExpired { .. } => ErrorKind::Expired,
            Self::TooLarge { .. } => ErrorKind::Refused,
            Self::Closed
            | Self::Halted { .. }
            | Self::Cluster { .. }
            | Self::InUse { .. }
            | Self::Format { .. }
            | Self::Corrupted { .. }
            | Self::Storage { .. } => ErrorKind::Fatal,
        }
    }

    /// Whether the same transaction may succeed when it is simply done again.
    pub fn is_retryable(&self) -> bool {
        self.kind() == ErrorKind::Retry
    }
}
