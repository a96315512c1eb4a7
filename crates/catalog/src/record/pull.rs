//! Pull requests: `u | repository id | pull request id` → what is to be merged where, and what became of it. The ids are in the key
//! as text, so that a listing can begin anywhere in one.

use braid_kv::KeyRange;
use braid_types::{BranchName, CommitId, PullId, RepositoryId, Result, Time};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value::{self, StoredTime};

const WHAT: &str = "pull request record";

/// What became of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    /// It can be merged.
    Open,
    /// It was closed without being merged. It can be opened again.
    Closed {
        /// When.
        at: Time,
    },
    /// It was merged, for good.
    Merged {
        /// When.
        at: Time,
        /// The commit that the merge made.
        commit: CommitId,
    },
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRecord {
    /// Its id.
    pub id: PullId,
    /// What it is called.
    pub title: String,
    /// What is said of it.
    pub description: String,
    /// Who made it.
    pub author: String,
    /// The branch that is to be merged. It may have been deleted.
    pub source: BranchName,
    /// The branch that it is to be merged into. It may have been deleted.
    pub destination: BranchName,
    /// When it was made.
    pub created: Time,
    /// What became of it.
    pub state: PullState,
}

#[derive(Clone, PartialEq, Message)]
struct StoredPull {
    #[prost(string, tag = "1")]
    title: String,
    #[prost(string, tag = "2")]
    description: String,
    #[prost(string, tag = "3")]
    author: String,
    #[prost(string, tag = "4")]
    source: String,
    #[prost(string, tag = "5")]
    destination: String,
    #[prost(message, optional, tag = "6")]
    created: Option<StoredTime>,
    /// When it was closed or merged; absent while it is open.
    #[prost(message, optional, tag = "7")]
    closed: Option<StoredTime>,
    /// The merge commit of one that was merged.
    #[prost(bytes = "vec", tag = "8")]
    merged: Vec<u8>,
}

impl PullRecord {
    pub(crate) fn encode(&self) -> Bytes {
        let (closed, merged) = match &self.state {
            PullState::Open => (None, Vec::new()),
            PullState::Closed { at } => (Some(*at), Vec::new()),
            PullState::Merged { at, commit } => (Some(*at), commit.as_bytes().to_vec()),
        };
        value::encode(&StoredPull {
            title: self.title.clone(),
            description: self.description.clone(),
            author: self.author.clone(),
            source: self.source.to_string(),
            destination: self.destination.to_string(),
            created: Some(self.created.into()),
            closed: closed.map(Into::into),
            merged,
        })
    }

    pub(crate) fn decode(id: PullId, bytes: &[u8]) -> Result<Self> {
        let stored: StoredPull = value::decode(bytes, WHAT)?;
        let state = match (stored.closed, &stored.merged[..]) {
            (None, _) => PullState::Open,
            (Some(at), []) => PullState::Closed { at: at.into() },
            (Some(at), commit) => {
                PullState::Merged { at: at.into(), commit: value::commit_id(commit, WHAT)? }
            }
        };
        Ok(Self {
            id,
            title: stored.title,
            description: stored.description,
            author: stored.author,
            source: BranchName::new(stored.source)?,
            destination: BranchName::new(stored.destination)?,
            created: value::time(stored.created),
            state,
        })
    }
}

pub(crate) fn key(repository: &RepositoryId, id: PullId) -> Bytes {
    key_of(repository, &id.to_string())
}

/// Where a pull request of this id would be, whether or not it is one.
pub(crate) fn key_of(repository: &RepositoryId, id: &str) -> Bytes {
    key::key(Table::Pull, &[repository.as_bytes(), id.as_bytes()])
}

/// The pull requests of a repository whose ids begin with `prefix`.
pub(crate) fn range(repository: &RepositoryId, prefix: &str) -> KeyRange {
    KeyRange::prefix(&key_of(repository, prefix))
}

pub(crate) fn parse_key(repository: &RepositoryId, key: &[u8]) -> Result<PullId> {
    let text = key::rest(key, Table::Pull, repository.as_bytes()).and_then(|id| std::str::from_utf8(id).ok());
    text.and_then(|id| id.parse().ok()).ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pull_requests_round_trip(
            ids: ([u8; 16], [u8; 12]), commit: [u8; 32], texts: [String; 3], at: i64, state in 0..3usize,
        ) {
            let (repository, id) = (RepositoryId::from_bytes(ids.0), PullId::from_bytes(ids.1));
            let at = Time::from_seconds(at);
            let commit = CommitId::from_bytes(commit);
            let [title, description, author] = texts;
            let record = PullRecord {
                id,
                title,
                description,
                author,
                source: BranchName::new("side").unwrap(),
                destination: BranchName::new("main").unwrap(),
                created: at,
                state: [PullState::Open, PullState::Closed { at }, PullState::Merged { at, commit }][state],
            };
            prop_assert_eq!(PullRecord::decode(id, &record.encode()).unwrap(), record);
            let key = key(&repository, id);
            prop_assert_eq!(parse_key(&repository, &key).unwrap(), id);
            prop_assert!(range(&repository, &id.to_string()[..3]).contains(&key));
        }
    }
}
