//! Commits: `c | repository id | commit id` → the commit.

use braid_kv::KeyRange;
use braid_types::{Code, Commit, CommitId, Error, RepositoryId, Result};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value::{self, StoredMap, StoredTime};

const WHAT: &str = "commit record";

#[derive(Clone, PartialEq, Message)]
struct StoredCommit {
    #[prost(bytes = "vec", repeated, tag = "1")]
    parents: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "2")]
    metarange: Vec<u8>,
    #[prost(string, tag = "3")]
    committer: String,
    #[prost(string, tag = "4")]
    message: String,
    #[prost(btree_map = "string, string", tag = "5")]
    metadata: StoredMap,
    #[prost(message, optional, tag = "6")]
    time: Option<StoredTime>,
    #[prost(uint32, tag = "7")]
    generation: u32,
    #[prost(int32, tag = "8")]
    version: i32,
}

pub(crate) fn encode(commit: &Commit) -> Bytes {
    value::encode(&StoredCommit {
        parents: commit.parents.iter().map(|parent| parent.as_bytes().to_vec()).collect(),
        metarange: value::tree_bytes(commit.metarange),
        committer: commit.committer.clone(),
        message: commit.message.clone(),
        metadata: commit.metadata.clone(),
        time: Some(commit.time.into()),
        generation: commit.generation,
        version: commit.version,
    })
}

/// The commit stored under `id`. Its hash is computed again: a commit that is not what its id says is not served.
pub(crate) fn decode(id: &CommitId, bytes: &[u8]) -> Result<Commit> {
    let stored: StoredCommit = value::decode(bytes, WHAT)?;
    let parents = stored.parents.iter().map(|parent| value::commit_id(parent, WHAT));
    let commit = Commit {
        parents: parents.collect::<Result<_>>()?,
        metarange: value::tree(&stored.metarange, WHAT)?,
        committer: stored.committer,
        message: stored.message,
        metadata: stored.metadata,
        time: value::time(stored.time),
        generation: stored.generation,
        version: stored.version,
    };
    if commit.id() != *id {
        let message = format!("the stored commit '{id}' has the hash '{}'", commit.id());
        return Err(Error::new(Code::Corrupt, id.to_hex(), message));
    }
    Ok(commit)
}

pub(crate) fn key(repository: &RepositoryId, id: &CommitId) -> Bytes {
    key::key(Table::Commit, &[repository.as_bytes(), id.as_bytes()])
}

/// All commits of a repository.
pub(crate) fn range(repository: &RepositoryId) -> KeyRange {
    KeyRange::prefix(&key::key(Table::Commit, &[repository.as_bytes()]))
}

/// The commits whose ids begin with the hexadecimal digits `prefix`, or nothing if it cannot begin an id.
pub(crate) fn prefix_range(repository: &RepositoryId, prefix: &str) -> Option<KeyRange> {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if prefix.is_empty() || prefix.len() > 64 || !prefix.bytes().all(digit) {
        return None;
    }
    let padded = |fill: &str| hex::decode(format!("{prefix}{}", fill.repeat(64 - prefix.len()))).ok();
    let first = key::key(Table::Commit, &[repository.as_bytes(), &padded("0")?]);
    let last = key::key(Table::Commit, &[repository.as_bytes(), &padded("f")?, &[0]]);
    Some(KeyRange::new(first, last))
}

pub(crate) fn parse_key(repository: &RepositoryId, key: &[u8]) -> Result<CommitId> {
    let id = key::rest(key, Table::Commit, repository.as_bytes()).and_then(CommitId::from_slice);
    id.ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))
}
