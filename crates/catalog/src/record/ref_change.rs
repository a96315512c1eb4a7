//! Change log of refs: `w | repository id | stamp | n` → what one operation did to one ref.
//!
//! The stamp (big endian) is the state that the transaction read, so two changes of one ref are in order. `n` is random: it
//! keeps apart transactions that read one state.

use braid_kv::{KeyRange, Timestamp};
#[cfg(test)]
use braid_types::Result;
use braid_types::{CommitId, RepositoryId, Time};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value::{self, StoredTime};
use super::who;
use crate::mutation::Mutation;

#[cfg(test)]
const WHAT: &str = "ref change record";

/// What happened to a ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum RefEvent {
    RepositoryCreated = 1,
    RepositoryDeleted = 2,
    BranchCreated = 3,
    /// The head moved: a commit, merge, revert or cherry-pick.
    BranchMoved = 4,
    /// Everything uncommitted was dropped.
    BranchReset = 5,
    BranchDeleted = 6,
    TagCreated = 7,
    TagDeleted = 8,
    /// Something was set of it.
    RepositoryChanged = 9,
}

/// What is said of one ref; for a repository as a whole, its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefMove {
    pub(crate) event: RefEvent,
    pub(crate) name: String,
    /// The commit before.
    pub(crate) old: Option<CommitId>,
    /// The commit after.
    pub(crate) new: Option<CommitId>,
}

/// One change of one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefChange {
    /// When, by the clock of the process.
    pub(crate) time: Time,
    /// Who asked for it.
    pub(crate) by: Mutation,
    pub(crate) what: RefMove,
}

#[derive(Clone, PartialEq, Message)]
struct StoredRefChange {
    #[prost(message, optional, tag = "1")]
    time: Option<StoredTime>,
    #[prost(message, optional, tag = "2")]
    by: Option<who::StoredWho>,
    #[prost(enumeration = "RefEvent", tag = "3")]
    event: i32,
    #[prost(string, tag = "4")]
    name: String,
    #[prost(bytes = "vec", tag = "5")]
    old: Vec<u8>,
    #[prost(bytes = "vec", tag = "6")]
    new: Vec<u8>,
}

impl RefMove {
    pub(crate) fn new(
        event: RefEvent,
        name: impl Into<String>,
        old: Option<CommitId>,
        new: Option<CommitId>,
    ) -> Self {
        Self { event, name: name.into(), old, new }
    }
}

impl RefChange {
    pub(crate) fn encode(&self) -> Bytes {
        let commit = |id: Option<CommitId>| id.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        value::encode(&StoredRefChange {
            time: Some(self.time.into()),
            by: Some((&self.by).into()),
            event: self.what.event as i32,
            name: self.what.name.clone(),
            old: commit(self.what.old),
            new: commit(self.what.new),
        })
    }

    #[cfg(test)]
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let stored: StoredRefChange = value::decode(bytes, WHAT)?;
        let event = RefEvent::try_from(stored.event);
        let commit = |bytes: &[u8]| match bytes {
            [] => Ok(None),
            bytes => value::commit_id(bytes, WHAT).map(Some),
        };
        Ok(Self {
            time: value::time(stored.time),
            by: who::read(stored.by, WHAT)?,
            what: RefMove {
                event: event.map_err(|_| value::corrupt(WHAT, "its event is not known"))?,
                name: stored.name,
                old: commit(&stored.old)?,
                new: commit(&stored.new)?,
            },
        })
    }
}

pub(crate) fn key(repository: &RepositoryId, stamp: Timestamp, n: [u8; 8]) -> Bytes {
    key::key(Table::RefChange, &[repository.as_bytes(), &u64::from(stamp).to_be_bytes(), &n])
}

/// Every change of a repository's refs, by stamp.
pub(crate) fn range(repository: &RepositoryId) -> KeyRange {
    KeyRange::prefix(&key::key(Table::RefChange, &[repository.as_bytes()]))
}
