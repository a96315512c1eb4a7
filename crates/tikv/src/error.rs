//! What can go wrong, and what is known to have happened then.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::Timestamp;

/// A failure. Whatever returns one has changed nothing that a reader could see; only
/// [`Client::destroy_range`](crate::Client::destroy_range) may be half done, and is simply done again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cluster did not answer, or did not answer usefully, for as long as the operation may take.
    #[error("'{operation}' was not done within {allowed:?}: {cause}")]
    Deadline {
        /// What was to be done.
        operation: &'static str,
        /// How long it may take.
        allowed: Duration,
        /// What was met last.
        cause: String,
    },
    /// Another transaction, still alive, held the key for as long as could be waited.
    #[error("the key '{}' stayed locked by the transaction {holder} for {waited:?}", key.escape_ascii())]
    Locked {
        /// The key.
        key: Bytes,
        /// The start of the transaction that holds it.
        holder: Timestamp,
        /// How long was waited.
        waited: Duration,
    },
    /// Waiting for the key would have closed a circle of transactions that wait for each other.
    #[error("waiting for the key '{}' would never end: its holder waits for this transaction", key.escape_ascii())]
    Deadlock {
        /// The key.
        key: Bytes,
    },
    /// The transaction exceeds a limit.
    #[error("the {what} of the transaction is {size}, over the limit of {limit}")]
    TooLarge {
        /// What was measured.
        what: Measure,
        /// What it was.
        size: usize,
        /// What it may be.
        limit: usize,
    },
    /// The transaction is older than a transaction may be when it writes.
    #[error("the transaction {start} is {age:?} old, over the limit of {limit:?}")]
    TooOld {
        /// Its start.
        start: Timestamp,
        /// How old it is.
        age: Duration,
        /// How old it may be.
        limit: Duration,
    },
    /// A store or PD refused to do it, for a reason that time does not cure.
    #[error("'{call}' was refused: {reason}")]
    Refused {
        /// Which call.
        call: &'static str,
        /// What was said.
        reason: String,
    },
    /// An answer is not one that the protocol allows.
    #[error("the answer to '{call}' makes no sense: {what}")]
    Malformed {
        /// Which call.
        call: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// An address leads to another cluster.
    #[error("'{address}' belongs to the cluster {found}, not to the cluster {expected}")]
    WrongCluster {
        /// Who answered.
        address: String,
        /// The cluster that this client works with.
        expected: u64,
        /// The cluster of the answer.
        found: u64,
    },
    /// The cluster has no such keyspace, or it is not in use.
    #[error("the cluster has no keyspace '{name}': {reason}")]
    NoKeyspace {
        /// Which one.
        name: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// A setting cannot be used.
    #[error("the setting '{setting}' cannot be used: {reason}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
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

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys => "number of keys",
            Self::Bytes => "size in bytes",
            Self::KeyLength => "longest key in bytes",
            Self::ValueLength => "longest value in bytes",
        })
    }
}
