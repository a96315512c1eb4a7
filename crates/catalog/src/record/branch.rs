//! Branches: `b | repository id | name` → the branch.

use braid_kv::{Fence, KeyRange};
use braid_types::{BranchName, CommitId, Incarnation, MetarangeId, RepositoryId, Result, StagingToken};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::layer::{Layer, SealedLayer, StoredLayer};
use super::{staged, value};

const WHAT: &str = "branch record";
/// The format of records whose layers are all staged ones, and of those with others. The second is kept apart so that a
/// version that knows staged layers alone refuses such a record by name.
const STAGED_ONLY: u8 = 1;
const STRUCTURAL: u8 = 2;

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

impl BranchRecord {
    /// Every staging token.
    pub(crate) fn tokens(&self) -> Vec<StagingToken> {
        std::iter::once(self.open.token).chain(sealed_tokens(&self.sealed)).collect()
    }

    /// The trees of its grafts.
    pub(crate) fn grafts(&self) -> impl Iterator<Item = MetarangeId> {
        self.sealed.iter().filter_map(|sealed| match &sealed.layer {
            Layer::Grafted { tree, .. } => Some(*tree),
            Layer::Staged(_) | Layer::Moved { .. } | Layer::Erased(_) => None,
        })
    }

    pub(crate) fn encode(&self) -> Bytes {
        let is_structural = self.sealed.iter().any(|sealed| sealed.layer.is_structural());
        let format = if is_structural { STRUCTURAL } else { STAGED_ONLY };
        let stored = StoredBranch {
            incarnation: self.incarnation.as_bytes().to_vec(),
            head: self.head.as_bytes().to_vec(),
            base: value::tree_bytes(self.base),
            sealed: self.sealed.iter().map(StoredLayer::from).collect(),
            open_token: self.open.token.as_bytes().to_vec(),
            open_lanes: u32::from(self.open.lanes),
            hidden: self.hidden,
        };
        value::encode_as(format, &stored)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let stored: StoredBranch = value::decode_up_to(STRUCTURAL, bytes, WHAT)?;
        let lanes = u16::try_from(stored.open_lanes).ok().filter(|&lanes| lanes > 0);
        let incarnation = Incarnation::from_slice(&stored.incarnation);
        Ok(Self {
            incarnation: incarnation.ok_or_else(|| value::corrupt(WHAT, "an incarnation has 16 bytes"))?,
            head: value::commit_id(&stored.head, WHAT)?,
            base: value::tree(&stored.base, WHAT)?,
            sealed: stored.sealed.iter().map(|layer| layer.sealed(WHAT)).collect::<Result<_>>()?,
            open: OpenLayer {
                token: value::token(&stored.open_token, WHAT)?,
                lanes: lanes.ok_or_else(|| value::corrupt(WHAT, "its fence has no lanes"))?,
            },
            hidden: stored.hidden,
        })
    }
}

/// Where sealed layers keep entries of their own.
pub(crate) fn sealed_tokens(sealed: &[SealedLayer]) -> impl Iterator<Item = StagingToken> {
    sealed.iter().filter_map(|sealed| sealed.layer.token())
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
