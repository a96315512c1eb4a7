//! Tags: `t | repository id | name` → commit id.

use braid_kv::KeyRange;
use braid_types::{CommitId, RepositoryId, Result, TagName};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value;

const WHAT: &str = "tag record";

#[derive(Clone, PartialEq, Message)]
struct StoredTag {
    #[prost(bytes = "vec", tag = "1")]
    commit: Vec<u8>,
}

pub(crate) fn encode(commit: &CommitId) -> Bytes {
    value::encode(&StoredTag { commit: commit.as_bytes().to_vec() })
}

pub(crate) fn decode(bytes: &[u8]) -> Result<CommitId> {
    let stored: StoredTag = value::decode(bytes, WHAT)?;
    value::commit_id(&stored.commit, WHAT)
}

pub(crate) fn key(repository: &RepositoryId, name: &TagName) -> Bytes {
    key_of(repository, name.as_str())
}

/// Where a tag of this name would be, whether or not it is one.
pub(crate) fn key_of(repository: &RepositoryId, name: &str) -> Bytes {
    key::key(Table::Tag, &[repository.as_bytes(), name.as_bytes()])
}

/// The tags of a repository whose names begin with `prefix`.
pub(crate) fn range(repository: &RepositoryId, prefix: &str) -> KeyRange {
    KeyRange::prefix(&key::key(Table::Tag, &[repository.as_bytes(), prefix.as_bytes()]))
}

pub(crate) fn parse_key(repository: &RepositoryId, key: &[u8]) -> Result<TagName> {
    let name =
        key::rest(key, Table::Tag, repository.as_bytes()).and_then(|name| std::str::from_utf8(name).ok());
    TagName::new(name.ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))?)
}
