//! A lock that was met.

use bytes::Bytes;

use crate::Timestamp;
use crate::proto::kvrpcpb::{LockInfo, Op};
use crate::spread::Keyed;

/// A lock that stood in the way of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Met {
    pub(crate) key: Bytes,
    /// The key that decides about the transaction.
    pub(crate) primary: Bytes,
    /// The transaction.
    pub(crate) start: Timestamp,
    /// How long the lock lives without a sign of its transaction, in milliseconds from its start. 0: it does not.
    pub(crate) ttl: u64,
    pub(crate) for_update: Timestamp,
    /// Taken before the commit, to keep others out; it says nothing about what will be written.
    pub(crate) pessimistic: bool,
}

impl From<LockInfo> for Met {
    fn from(lock: LockInfo) -> Self {
        Self {
            pessimistic: lock.lock_type() == Op::PessimisticLock,
            key: lock.key,
            primary: lock.primary_lock,
            start: lock.lock_version.into(),
            ttl: lock.lock_ttl,
            for_update: lock.lock_for_update_ts.into(),
        }
    }
}

impl Keyed for Met {
    fn key(&self) -> &Bytes {
        &self.key
    }
}
