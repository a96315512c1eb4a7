//! The client's words in the port's.

use super::keys::Keys;
use crate::{Conflict, ConflictReason, KvError, Measure, Mode, Outcome, ScanOptions};

pub(super) fn error(error: braid_tikv::Error, keys: &Keys) -> KvError {
    use braid_tikv::Error;
    match error {
        Error::Locked { key, waited, .. } => KvError::LockTimeout { key: keys.leave(&key), waited },
        Error::Deadlock { key } => KvError::Deadlock { key: keys.leave(&key) },
        Error::TooLarge { what, size, limit } => KvError::TooLarge { what: measure(what), size, limit },
        Error::Closed => KvError::Closed,
        // Done again as a whole, it is young again.
        Error::Deadline { .. } | Error::TooOld { .. } => KvError::Unavailable { cause: error.to_string() },
        other => KvError::Cluster { cause: other.to_string() },
    }
}

fn measure(what: braid_tikv::Measure) -> Measure {
    match what {
        braid_tikv::Measure::Keys => Measure::Keys,
        braid_tikv::Measure::KeyLength => Measure::KeyLength,
        braid_tikv::Measure::ValueLength => Measure::ValueLength,
        braid_tikv::Measure::Bytes => Measure::Bytes,
    }
}

pub(super) fn outcome(outcome: braid_tikv::Outcome, keys: &Keys) -> Outcome {
    match outcome {
        braid_tikv::Outcome::Committed(timestamp) => Outcome::Committed(u64::from(timestamp).into()),
        braid_tikv::Outcome::Conflict(conflict) => {
            Outcome::Conflict(Conflict { key: keys.leave(&conflict.key), reason: reason(conflict.reason) })
        }
        braid_tikv::Outcome::Refused(refused) => Outcome::Refused(error(refused, keys)),
        braid_tikv::Outcome::Unknown(cause) => Outcome::Unknown(cause),
    }
}

fn reason(reason: braid_tikv::ConflictReason) -> ConflictReason {
    match reason {
        braid_tikv::ConflictReason::Exists => ConflictReason::Exists,
        braid_tikv::ConflictReason::Held => ConflictReason::Held,
        // A rollback leaves a mark, as a write does.
        braid_tikv::ConflictReason::Written | braid_tikv::ConflictReason::RolledBack => {
            ConflictReason::Written
        }
    }
}

pub(super) fn mode(mode: Mode) -> braid_tikv::Mode {
    match mode {
        Mode::Optimistic => braid_tikv::Mode::Optimistic,
        Mode::Pessimistic => braid_tikv::Mode::Pessimistic,
    }
}

pub(super) fn options(options: ScanOptions) -> braid_tikv::ScanOptions {
    let ScanOptions { limit, reverse, keys_only } = options;
    braid_tikv::ScanOptions { limit, reverse, keys_only }
}
