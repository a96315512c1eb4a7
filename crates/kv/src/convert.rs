//! What a caller of Braid sees of a store's failure.

use braid_types::{Code, Error};

use crate::{Conflict, FenceError, KvError};

impl From<KvError> for Error {
    fn from(error: KvError) -> Self {
        let code = match &error {
            KvError::SnapshotExpired { .. } => Code::SnapshotExpired,
            KvError::LockTimeout { .. } | KvError::Deadlock { .. } | KvError::Busy { .. } => Code::Busy,
            KvError::TooLarge { .. } => Code::LimitExceeded,
            KvError::Unavailable { .. } | KvError::Closed | KvError::Halted { .. } => Code::Unavailable,
            KvError::Format { .. } => Code::UnsupportedFormat,
            KvError::Corrupted { .. } => Code::Corrupt,
            KvError::Cluster { .. } | KvError::InUse { .. } | KvError::Storage { .. } => Code::Internal,
        };
        Error::new(code, "key-value store", error.to_string())
    }
}

impl From<FenceError> for Error {
    fn from(error: FenceError) -> Self {
        match error {
            FenceError::Kv(error) => error.into(),
            FenceError::Sealed => Error::new(Code::Conflict, "staging token", error.to_string()),
            FenceError::Unreadable { .. } => Error::new(Code::Corrupt, "fence", error.to_string()),
        }
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        Error::new(Code::Conflict, "key-value store", conflict.to_string())
    }
}
