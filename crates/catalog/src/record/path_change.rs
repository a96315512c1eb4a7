//! Change log of staged entries: `s | token | 2 | lane | n` → what one operation did to one path.
//!
//! `lane` and `n` (big endian) are those that the transaction was given by the token's fence: within a lane the numbers
//! have no gaps. Rows are written in the transaction that does the work. Two changes of one path are ordered by their
//! stamps, whichever lanes they took, and within one transaction by their numbers.

use braid_kv::{KeyRange, Timestamp};
use braid_tree::{TreeId, Value};
use braid_types::{Result, StagingToken, Time};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value::{self, StoredTime};
use super::{staged, who};
use crate::mutation::Mutation;

const WHAT: &str = "change record";
const CHANGE: u8 = 2;

/// What a path maps to, as far as staged layers tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathState {
    /// A layer puts this.
    Put(Value),
    /// A layer deletes the path, or leaves nothing of where it is.
    Deleted,
    /// No staged layer mentions the path: it is what this tree has.
    Committed {
        /// The tree.
        tree: TreeId,
        /// The path's name there, where a move gave it another one.
        at: Option<Bytes>,
    },
}

/// One change of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathChange {
    /// The state that the transaction read.
    pub(crate) stamp: Timestamp,
    /// When, by the clock of the process.
    pub(crate) time: Time,
    /// Who asked for it.
    pub(crate) by: Mutation,
    pub(crate) path: Bytes,
    pub(crate) old: PathState,
    pub(crate) new: PathState,
}

#[derive(Clone, PartialEq, Message)]
struct StoredChange {
    #[prost(fixed64, tag = "1")]
    stamp: u64,
    #[prost(message, optional, tag = "2")]
    time: Option<StoredTime>,
    #[prost(message, optional, tag = "3")]
    by: Option<who::StoredWho>,
    #[prost(bytes = "bytes", tag = "4")]
    path: Bytes,
    #[prost(message, optional, tag = "5")]
    old: Option<StoredState>,
    #[prost(message, optional, tag = "6")]
    new: Option<StoredState>,
}

/// Either a staged entry as [`staged`] encodes it, or the tree.
#[derive(Clone, PartialEq, Message)]
struct StoredState {
    #[prost(bytes = "bytes", tag = "1")]
    staged: Bytes,
    #[prost(bytes = "vec", tag = "2")]
    tree: Vec<u8>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    at: Option<Bytes>,
}

impl PathState {
    /// The state that a staged entry stands for.
    pub(crate) fn staged(value: Option<Value>) -> Self {
        value.map_or(Self::Deleted, Self::Put)
    }

    /// What a path is below all staged layers, by its trace.
    pub(crate) fn below(path: &[u8], bottom: Option<(TreeId, Bytes)>) -> Self {
        match bottom {
            None => Self::Deleted,
            Some((tree, there)) => Self::Committed { tree, at: Some(there).filter(|there| there != path) },
        }
    }

    /// The staged entry that stands for it, if one does.
    pub(crate) fn encode_staged(&self) -> Option<Bytes> {
        match self {
            Self::Put(value) => Some(staged::encode_put(value)),
            Self::Deleted => Some(staged::encode_tombstone()),
            Self::Committed { .. } => None,
        }
    }
}

impl From<&PathState> for StoredState {
    fn from(state: &PathState) -> Self {
        let (tree, at) = match state {
            PathState::Committed { tree, at } => (value::tree_bytes(*tree), at.clone()),
            PathState::Put(_) | PathState::Deleted => (Vec::new(), None),
        };
        Self { staged: state.encode_staged().unwrap_or_default(), tree, at }
    }
}

#[cfg(test)]
impl TryFrom<StoredState> for PathState {
    type Error = braid_types::Error;

    fn try_from(stored: StoredState) -> Result<Self> {
        match stored.staged.is_empty() {
            true => value::tree(&stored.tree, WHAT).map(|tree| Self::Committed { tree, at: stored.at }),
            false => staged::decode(&stored.staged).map(Self::staged),
        }
    }
}

impl PathChange {
    pub(crate) fn encode(&self) -> Bytes {
        value::encode(&StoredChange {
            stamp: self.stamp.into(),
            time: Some(self.time.into()),
            by: Some((&self.by).into()),
            path: self.path.clone(),
            old: Some((&self.old).into()),
            new: Some((&self.new).into()),
        })
    }

    #[cfg(test)]
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let stored: StoredChange = value::decode(bytes, WHAT)?;
        Ok(Self {
            stamp: stored.stamp.into(),
            time: value::time(stored.time),
            by: who::read(stored.by, WHAT)?,
            path: stored.path,
            old: stored.old.unwrap_or_default().try_into()?,
            new: stored.new.unwrap_or_default().try_into()?,
        })
    }
}

pub(crate) fn key(token: &StagingToken, lane: u16, number: u64) -> Bytes {
    key::key(Table::Staging, &[token.as_bytes(), &[CHANGE], &lane.to_be_bytes(), &number.to_be_bytes()])
}

/// The stamp of a stored change.
pub(crate) fn stamp(bytes: &[u8]) -> Result<Timestamp> {
    let stored: StoredChange = value::decode(bytes, WHAT)?;
    Ok(stored.stamp.into())
}

/// Every change of a token, by lane and number.
pub(crate) fn range(token: &StagingToken) -> KeyRange {
    KeyRange::prefix(&key::key(Table::Staging, &[token.as_bytes(), &[CHANGE]]))
}

/// The lane and number in a key made by [`key()`].
pub(crate) fn parse_key(token: &StagingToken, key: &[u8]) -> Result<(u16, u64)> {
    let fields =
        key::rest(key, Table::Staging, token.as_bytes()).and_then(|rest| rest.strip_prefix(&[CHANGE]));
    let parsed = fields.and_then(|fields| {
        let (lane, number) = fields.split_first_chunk()?;
        Some((u16::from_be_bytes(*lane), u64::from_be_bytes(number.try_into().ok()?)))
    });
    parsed.ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))
}
