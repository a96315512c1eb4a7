//! What is to be cleaned up: `i | t | token` and `i | r | repository id` → when it was dropped; `i | f | token` → when the
//! token's content was destroyed; `i | u | repository id` → when a restore last gave a sign of life. A token's record also says
//! whose it was, and how much of its change log has been moved out.

use braid_kv::KeyRange;
use braid_types::{RepositoryId, Result, StagingToken, Time};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value::{self, StoredTime};

const WHAT: &str = "clean-up record";
const TOKEN: u8 = b't';
const REPOSITORY: u8 = b'r';
const RESTORE: u8 = b'u';
const FENCE: u8 = b'f';

/// What nobody refers to any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// A staging token: what was staged under it is to be destroyed.
    Token(StagingToken),
    /// A staging token of which only the fence is left: it outlives every writer that saw it open.
    Fence(StagingToken),
    /// A repository: its refs and commits are to be deleted, its tokens dropped.
    Repository(RepositoryId),
    /// A repository that is being restored and cannot be seen yet: if it is given up, it is to be deleted.
    Restore(RepositoryId),
}

/// What is known of a dropped staging token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DroppedToken {
    /// When it was dropped.
    pub(crate) at: Time,
    /// The key of the branch that it belonged to; `None` when the change log goes with its repository.
    pub(crate) branch: Option<Bytes>,
    /// The key of the last row of the change log that was moved out. Rows are moved in the order of their keys.
    pub(crate) moved: Option<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredDropped {
    #[prost(message, optional, tag = "1")]
    at: Option<StoredTime>,
    #[prost(bytes = "bytes", tag = "2")]
    branch: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    moved: Bytes,
}

impl DroppedToken {
    /// A token that the branch under this key has no more.
    pub(crate) fn of(branch: &Bytes, at: Time) -> Self {
        Self { at, branch: Some(branch.clone()), moved: None }
    }

    pub(crate) fn encode(&self) -> Bytes {
        value::encode(&StoredDropped {
            at: Some(self.at.into()),
            branch: self.branch.clone().unwrap_or_default(),
            moved: self.moved.clone().unwrap_or_default(),
        })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let stored: StoredDropped = value::decode(bytes, WHAT)?;
        let some = |bytes: Bytes| Some(bytes).filter(|bytes| !bytes.is_empty());
        Ok(Self { at: value::time(stored.at), branch: some(stored.branch), moved: some(stored.moved) })
    }
}

impl Dropped {
    pub(crate) fn key(&self) -> Bytes {
        match self {
            Self::Token(token) => key::key(Table::Dropped, &[&[TOKEN], token.as_bytes()]),
            Self::Fence(token) => key::key(Table::Dropped, &[&[FENCE], token.as_bytes()]),
            Self::Repository(id) => key::key(Table::Dropped, &[&[REPOSITORY], id.as_bytes()]),
            Self::Restore(id) => key::key(Table::Dropped, &[&[RESTORE], id.as_bytes()]),
        }
    }

    pub(crate) fn parse_key(key: &[u8]) -> Result<Self> {
        let parsed = match key::rest(key, Table::Dropped, &[]).and_then(<[u8]>::split_first) {
            Some((&TOKEN, id)) => StagingToken::from_slice(id).map(Self::Token),
            Some((&FENCE, id)) => StagingToken::from_slice(id).map(Self::Fence),
            Some((&REPOSITORY, id)) => RepositoryId::from_slice(id).map(Self::Repository),
            Some((&RESTORE, id)) => RepositoryId::from_slice(id).map(Self::Restore),
            _ => None,
        };
        parsed.ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))
    }
}

pub(crate) fn encode(at: Time) -> Bytes {
    value::encode(&StoredDropped { at: Some(at.into()), ..StoredDropped::default() })
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Time> {
    let stored: StoredDropped = value::decode(bytes, WHAT)?;
    Ok(value::time(stored.at))
}

/// Everything that is to be cleaned up.
pub(crate) fn range() -> KeyRange {
    KeyRange::prefix(&key::key(Table::Dropped, &[]))
}
