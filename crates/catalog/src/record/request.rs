//! Results of requests: `q | principal | 00 | request id` → what the request was and how it was answered.
//!
//! The result is written in the transaction that does the work. So a retry finds it exactly if the work was done.

use braid_kv::KeyRange;
use braid_tree::Value;
use braid_types::{CommitId, PullId, RequestId, Result, Time};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value::{self, StoredTime};

const WHAT: &str = "request record";

/// What a finished request answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing but that it was done.
    Done,
    /// The commit that it made.
    Commit(CommitId),
    /// For each member of a set, the commit that it made or named. A set has members.
    Commits(Vec<CommitId>),
    /// The pull request that it made.
    Pull(PullId),
    /// For each operation of a batch, whether there was something at its path.
    Existed(Vec<bool>),
    /// The same of a batch that copied, and the entries that its copies put.
    Copied {
        /// For each operation, whether there was something at its path.
        existed: Vec<bool>,
        /// For each copy what it put, in order. There is at least one.
        copies: Vec<Value>,
    },
}

/// A finished request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestRecord {
    /// Hash of what was asked.
    pub(crate) fingerprint: [u8; 32],
    /// What was answered.
    pub(crate) answer: Answer,
    /// Until when the record is kept.
    pub(crate) expires: Time,
}

#[derive(Clone, PartialEq, Message)]
struct StoredRequest {
    #[prost(bytes = "vec", tag = "1")]
    fingerprint: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    expires: Option<StoredTime>,
    #[prost(bytes = "vec", tag = "3")]
    commit: Vec<u8>,
    #[prost(bool, repeated, tag = "4")]
    existed: Vec<bool>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    commits: Vec<Vec<u8>>,
    #[prost(bytes = "bytes", repeated, tag = "6")]
    copies: Vec<Bytes>,
    #[prost(bytes = "vec", tag = "8")]
    pull: Vec<u8>,
}

impl RequestRecord {
    pub(crate) fn encode(&self) -> Bytes {
        let mut stored = StoredRequest {
            fingerprint: self.fingerprint.to_vec(),
            expires: Some(self.expires.into()),
            ..StoredRequest::default()
        };
        match &self.answer {
            Answer::Done => {}
            Answer::Commit(id) => stored.commit = id.as_bytes().to_vec(),
            Answer::Commits(ids) => stored.commits = ids.iter().map(|id| id.as_bytes().to_vec()).collect(),
            Answer::Pull(id) => stored.pull = id.as_bytes().to_vec(),
            Answer::Existed(existed) => stored.existed.clone_from(existed),
            Answer::Copied { existed, copies } => {
                stored.existed.clone_from(existed);
                stored.copies = copies.iter().map(|value| value.as_bytes().clone()).collect();
            }
        }
        value::encode(&stored)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let stored: StoredRequest = value::decode(bytes, WHAT)?;
        let fingerprint = stored.fingerprint.try_into();
        let answer = if !stored.commit.is_empty() {
            Answer::Commit(value::commit_id(&stored.commit, WHAT)?)
        } else if !stored.commits.is_empty() {
            let ids = stored.commits.iter().map(|id| value::commit_id(id, WHAT));
            Answer::Commits(ids.collect::<Result<_>>()?)
        } else if !stored.copies.is_empty() {
            let values =
                stored.copies.into_iter().map(Value::from_bytes).collect::<std::result::Result<_, _>>();
            let copies = values.map_err(|_| value::corrupt(WHAT, "a copied entry is malformed"))?;
            Answer::Copied { existed: stored.existed, copies }
        } else if let Some(id) = stored.pull.first_chunk() {
            Answer::Pull(PullId::from_bytes(*id))
        } else if !stored.existed.is_empty() {
            Answer::Existed(stored.existed)
        } else {
            Answer::Done
        };
        Ok(Self {
            fingerprint: fingerprint.map_err(|_| value::corrupt(WHAT, "a fingerprint has 32 bytes"))?,
            answer,
            expires: value::time(stored.expires),
        })
    }
}

/// The key of `principal`'s request. Principals hold no NUL, so none is the beginning of another's key.
pub(crate) fn key(principal: &str, request: &RequestId) -> Bytes {
    key::key(Table::Request, &[principal.as_bytes(), &[0], request.as_str().as_bytes()])
}

/// Every request record.
pub(crate) fn range() -> KeyRange {
    KeyRange::prefix(&key::key(Table::Request, &[]))
}
