//! Branches: `b | repository id | name` → the branch.

use braid_kv::{Fence, KeyRange};
use braid_types::{
    BranchName, CommitId, Incarnation, LayerId, MetarangeId, RepositoryId, Result, StagingToken,
};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::{staged, value};

const WHAT: &str = "branch record";

/// A branch: its head, and the layers of uncommitted change above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchRecord {
    /// New whenever a branch of this name is created.
    pub incarnation: Incarnation,
    /// The newest commit.
    pub head: CommitId,
    /// The tree that the layers lie on; `None` is the empty one.
    pub base: Option<MetarangeId>,
    /// Immutable layers, oldest first.
    pub sealed: Vec<SealedLayer>,
    /// The layer that takes writes.
    pub open: OpenLayer,
    /// Whether lists leave it out that do not ask for such branches.
    pub hidden: bool,
}

/// An immutable layer of staged entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedLayer {
    /// Its own id.
    pub id: LayerId,
    /// Where its entries are.
    pub token: StagingToken,
}

/// The layer that takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenLayer {
    /// Where its entries are.
    pub token: StagingToken,
    /// Lanes of its fence.
    pub lanes: u16,
}

impl OpenLayer {
    /// The fence that writers pass and sealers hold.
    pub(crate) fn fence(&self) -> Fence {
        Fence::new(staged::fence_prefix(&self.token), self.lanes)
    }
}

#[derive(Clone, PartialEq, Message)]
struct StoredBranch {
    #[prost(bytes = "vec", tag = "1")]
    incarnation: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    head: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    base: Vec<u8>,
    #[prost(message, repeated, tag = "4")]
    sealed: Vec<StoredLayer>,
    #[prost(bytes = "vec", tag = "5")]
    open_token: Vec<u8>,
    #[prost(uint32, tag = "6")]
    open_lanes: u32,
    #[prost(bool, tag = "16")]
    hidden: bool,
}

#[derive(Clone, PartialEq, Message)]
struct StoredLayer {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    staged_token: Vec<u8>,
}

impl BranchRecord {
    /// Staging tokens from the newest layer to the oldest.
    pub(crate) fn tokens(&self) -> Vec<StagingToken> {
        let sealed = self.sealed.iter().rev().map(|layer| layer.token);
        std::iter::once(self.open.token).chain(sealed).collect()
    }

    /// Tokens of the sealed layers from the newest to the oldest.
    pub(crate) fn sealed_tokens(&self) -> Vec<StagingToken> {
        self.sealed.iter().rev().map(|layer| layer.token).collect()
    }

    pub(crate) fn encode(&self) -> Bytes {
        let layer = |layer: &SealedLayer| StoredLayer {
            id: layer.id.as_bytes().to_vec(),
            staged_token: layer.token.as_bytes().to_vec(),
        };
        value::encode(&StoredBranch {
            incarnation: self.incarnation.as_bytes().to_vec(),
            head: self.head.as_bytes().to_vec(),
            base: value::tree_bytes(self.base),
            sealed: self.sealed.iter().map(layer).collect(),
            open_token: self.open.token.as_bytes().to_vec(),
            open_lanes: u32::from(self.open.lanes),
            hidden: self.hidden,
        })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let stored: StoredBranch = value::decode(bytes, WHAT)?;
        let lanes = u16::try_from(stored.open_lanes).ok().filter(|&lanes| lanes > 0);
        let incarnation = Incarnation::from_slice(&stored.incarnation);
        Ok(Self {
            incarnation: incarnation.ok_or_else(|| value::corrupt(WHAT, "an incarnation has 16 bytes"))?,
            head: value::commit_id(&stored.head, WHAT)?,
            base: value::tree(&stored.base, WHAT)?,
            sealed: stored.sealed.iter().map(decode_layer).collect::<Result<_>>()?,
            open: OpenLayer {
                token: token(&stored.open_token)?,
                lanes: lanes.ok_or_else(|| value::corrupt(WHAT, "its fence has no lanes"))?,
            },
            hidden: stored.hidden,
        })
    }
}

fn decode_layer(stored: &StoredLayer) -> Result<SealedLayer> {
    let id =
        LayerId::from_slice(&stored.id).ok_or_else(|| value::corrupt(WHAT, "a layer id has 16 bytes"))?;
    Ok(SealedLayer { id, token: token(&stored.staged_token)? })
}

fn token(bytes: &[u8]) -> Result<StagingToken> {
    StagingToken::from_slice(bytes).ok_or_else(|| value::corrupt(WHAT, "a staging token has 16 bytes"))
}

pub(crate) fn key(repository: &RepositoryId, name: &BranchName) -> Bytes {
    key_of(repository, name.as_str())
}

/// Where a branch of this name would be, whether or not it is one.
pub(crate) fn key_of(repository: &RepositoryId, name: &str) -> Bytes {
    key::key(Table::Branch, &[repository.as_bytes(), name.as_bytes()])
}

/// The branches of a repository whose names begin with `prefix`.
pub(crate) fn range(repository: &RepositoryId, prefix: &str) -> KeyRange {
    KeyRange::prefix(&key::key(Table::Branch, &[repository.as_bytes(), prefix.as_bytes()]))
}

pub(crate) fn parse_key(repository: &RepositoryId, key: &[u8]) -> Result<BranchName> {
    let name =
        key::rest(key, Table::Branch, repository.as_bytes()).and_then(|name| std::str::from_utf8(name).ok());
    BranchName::new(name.ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))?)
}
