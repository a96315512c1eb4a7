//! Repositories: `r | name` → the repository; `n | storage namespace` → who holds it; `f | id` → the fence of its state.
//!
//! Whoever makes a branch or a tag passes the fence; whoever deletes the repository holds it. So no ref comes to be in
//! a repository that is gone.

use std::sync::Arc;

use braid_kv::{Fence, KeyRange};
use braid_types::{BranchName, RepositoryId, RepositoryName, Result, Time};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value::{self, StoredTime};
use crate::protection::Protection;

const WHAT: &str = "repository record";

/// What is known of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryRecord {
    /// Its own id, never used again.
    pub id: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
    /// Where its data lives.
    pub storage_namespace: Arc<str>,
    /// The branch that is there from the start and cannot be deleted.
    pub default_branch: BranchName,
    /// When it was created.
    pub created: Time,
    /// Whether it takes writes.
    pub state: RepositoryState,
    /// Which rules its trees are built by; see [`braid_tree::TreeFormat::version`].
    pub format_version: u32,
    /// Lanes of the fence of its state.
    pub fence_lanes: u16,
    /// Which of its branches take no direct changes.
    pub protection: Protection,
}

/// Whether a repository takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepositoryState {
    /// It does.
    Active,
    /// It does not.
    ReadOnly,
}

#[derive(Clone, PartialEq, Message)]
struct StoredRepository {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(string, tag = "2")]
    storage_namespace: String,
    #[prost(string, tag = "3")]
    default_branch: String,
    #[prost(message, optional, tag = "4")]
    created: Option<StoredTime>,
    #[prost(bool, tag = "5")]
    read_only: bool,
    #[prost(uint32, tag = "6")]
    format_version: u32,
    #[prost(uint32, tag = "7")]
    fence_lanes: u32,
    #[prost(string, repeated, tag = "8")]
    protected: Vec<String>,
}

impl RepositoryRecord {
    /// The fence of the repository's state.
    pub(crate) fn fence(&self) -> Fence {
        Fence::new(key::key(Table::RepositoryFence, &[self.id.as_bytes()]), self.fence_lanes)
    }

    pub(crate) fn encode(&self) -> Bytes {
        value::encode(&StoredRepository {
            id: self.id.as_bytes().to_vec(),
            storage_namespace: self.storage_namespace.to_string(),
            default_branch: self.default_branch.to_string(),
            created: Some(self.created.into()),
            read_only: self.state == RepositoryState::ReadOnly,
            format_version: self.format_version,
            fence_lanes: u32::from(self.fence_lanes),
            protected: self.protection.patterns().to_vec(),
        })
    }

    pub(crate) fn decode(name: RepositoryName, bytes: &[u8]) -> Result<Self> {
        let stored: StoredRepository = value::decode(bytes, WHAT)?;
        let fence_lanes = u16::try_from(stored.fence_lanes).ok().filter(|&lanes| lanes > 0);
        Ok(Self {
            id: RepositoryId::from_slice(&stored.id)
                .ok_or_else(|| value::corrupt(WHAT, "its id has not 16 bytes"))?,
            name,
            storage_namespace: stored.storage_namespace.into(),
            default_branch: BranchName::new(stored.default_branch)?,
            created: value::time(stored.created),
            state: if stored.read_only { RepositoryState::ReadOnly } else { RepositoryState::Active },
            format_version: stored.format_version,
            fence_lanes: fence_lanes.ok_or_else(|| value::corrupt(WHAT, "its fence has no lanes"))?,
            protection: Protection::stored(stored.protected),
        })
    }
}

pub(crate) fn key(name: &RepositoryName) -> Bytes {
    key_of(name.as_str())
}

/// Where a repository of this name would be, whether or not it is one.
pub(crate) fn key_of(name: &str) -> Bytes {
    key::key(Table::Repository, &[name.as_bytes()])
}

/// The repositories whose names begin with `prefix`.
pub(crate) fn range(prefix: &str) -> KeyRange {
    KeyRange::prefix(&key::key(Table::Repository, &[prefix.as_bytes()]))
}

pub(crate) fn parse_key(key: &[u8]) -> Result<RepositoryName> {
    let name = key::rest(key, Table::Repository, &[]).and_then(|name| std::str::from_utf8(name).ok());
    RepositoryName::new(name.ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))?)
}

/// The key under which a storage namespace is held; its value is the holder's id.
pub(crate) fn namespace_key(namespace: &str) -> Bytes {
    key::key(Table::Namespace, &[namespace.as_bytes()])
}

/// The stripes of a deleted repository's fence.
pub(crate) fn fence_range(id: &RepositoryId) -> KeyRange {
    KeyRange::prefix(&key::key(Table::RepositoryFence, &[id.as_bytes()]))
}
