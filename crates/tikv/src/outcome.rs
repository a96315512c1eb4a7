//! How a commit ended.

use std::fmt;

use bytes::Bytes;

use crate::{Error, Timestamp};

/// How a commit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "only `Committed` means that the writes were done"]
pub enum Outcome {
    /// The writes are durable, and visible from this timestamp on.
    Committed(Timestamp),
    /// Nothing happened: another transaction was there first. A new transaction may succeed.
    Conflict(Conflict),
    /// Nothing happened, and not because of another transaction.
    Refused(Error),
    /// The writes may have happened, may still happen, or never will; the text says what was met.
    Unknown(String),
}

impl Outcome {
    /// The word for this outcome in metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Committed(_) => "committed",
            Self::Conflict(_) => "conflict",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// Where and why two transactions met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key '{}' {reason}", key.escape_ascii())]
pub struct Conflict {
    /// One of the keys concerned.
    pub key: Bytes,
    /// What stood in the way.
    pub reason: ConflictReason,
}

/// What stands in the way of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictReason {
    /// Someone wrote or locked the key since this transaction read.
    Written,
    /// The key was to be inserted and exists.
    Exists,
    /// A transaction that lives on holds the key.
    Held,
    /// Someone found this transaction dead, or its lock's time over, and rolled it back.
    RolledBack,
}

impl fmt::Display for ConflictReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Written => "was written by another transaction",
            Self::Exists => "exists already",
            Self::Held => "is held by another transaction",
            Self::RolledBack => "is no longer locked: the transaction was rolled back by another one",
        })
    }
}
