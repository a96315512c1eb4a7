//! Leases: `l | task` → who holds it, under which number, until when.
//!
//! The row stays when a lease ends: its number only grows.

use braid_types::{Random, Result, Time};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value::{self, StoredTime};

const WHAT: &str = "lease record";

/// A process, among those that take leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder([u8; 16]);

impl Holder {
    pub(crate) fn random(random: &dyn Random) -> Self {
        Self(random.bytes())
    }
}

/// A lease as it was last given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeaseRecord {
    pub(crate) holder: Holder,
    /// One more than that of whoever had the lease before.
    pub(crate) fence: u64,
    /// From then on others may take it.
    pub(crate) expires: Time,
}

#[derive(Clone, PartialEq, Message)]
struct StoredLease {
    #[prost(bytes = "vec", tag = "1")]
    holder: Vec<u8>,
    #[prost(uint64, tag = "2")]
    fence: u64,
    #[prost(message, optional, tag = "3")]
    expires: Option<StoredTime>,
}

impl LeaseRecord {
    pub(crate) fn encode(&self) -> Bytes {
        let (holder, expires) = (self.holder.0.to_vec(), Some(self.expires.into()));
        value::encode(&StoredLease { holder, fence: self.fence, expires })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let stored: StoredLease = value::decode(bytes, WHAT)?;
        let holder = stored.holder.try_into().map(Holder);
        Ok(Self {
            holder: holder.map_err(|_| value::corrupt(WHAT, "a holder has 16 bytes"))?,
            fence: stored.fence,
            expires: value::time(stored.expires),
        })
    }
}

/// The key of a task's lease.
pub(crate) fn key(task: &str) -> Bytes {
    key::key(Table::Lease, &[task.as_bytes()])
}
