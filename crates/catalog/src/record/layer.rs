//! Layers: the steps of a branch's uncommitted change, as its record holds them.

use braid_types::{LayerId, MetarangeId, PathPrefix, Result, StagingToken};
use prost::Message;

use super::value;

/// One step of a branch's uncommitted change: what it means to the layers below it.
///
/// Prefixes of `Moved` are whole directories, which end in `/`, and neither contains the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// Puts and deletes: an entry or a tombstone for each path that this token has.
    Staged(StagingToken),
    /// Paths under `from` are seen under `to`. Nothing is left under `from`, and what was under `to` is hidden.
    Moved {
        /// The directory that was renamed.
        from: PathPrefix,
        /// Its new name.
        to: PathPrefix,
    },
    /// Nothing below is seen under the prefix. The empty one is everything.
    Erased(PathPrefix),
    /// Under `prefix` is exactly what the tree has there, by its full paths.
    Grafted {
        /// The directory. A reset takes any prefix, and the empty one is everything: the layers that were below it, folded.
        prefix: PathPrefix,
        /// The tree.
        tree: MetarangeId,
    },
}

impl Layer {
    /// Where its entries are, if it has any of its own.
    pub(crate) fn token(&self) -> Option<StagingToken> {
        match self {
            Self::Staged(token) => Some(*token),
            Self::Moved { .. } | Self::Erased(_) | Self::Grafted { .. } => None,
        }
    }

    pub(crate) fn is_structural(&self) -> bool {
        self.token().is_none()
    }
}

/// An immutable layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedLayer {
    /// Its own id: no two layers ever have the same.
    pub id: LayerId,
    /// What it is.
    pub layer: Layer,
}

/// One of a layer's kinds is set.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredLayer {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    staged_token: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    moved: Option<StoredMove>,
    #[prost(string, optional, tag = "4")]
    erased: Option<String>,
    #[prost(message, optional, tag = "5")]
    grafted: Option<StoredGraft>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredMove {
    #[prost(string, tag = "1")]
    from: String,
    #[prost(string, tag = "2")]
    to: String,
}

#[derive(Clone, PartialEq, Message)]
struct StoredGraft {
    #[prost(string, tag = "1")]
    prefix: String,
    #[prost(bytes = "vec", tag = "2")]
    tree: Vec<u8>,
}

impl From<&Layer> for StoredLayer {
    fn from(layer: &Layer) -> Self {
        let mut stored = Self::default();
        match layer {
            Layer::Staged(token) => stored.staged_token = token.as_bytes().to_vec(),
            Layer::Moved { from, to } => {
                stored.moved = Some(StoredMove { from: from.to_string(), to: to.to_string() });
            }
            Layer::Erased(prefix) => stored.erased = Some(prefix.to_string()),
            Layer::Grafted { prefix, tree } => {
                let tree = tree.as_bytes().to_vec();
                stored.grafted = Some(StoredGraft { prefix: prefix.to_string(), tree });
            }
        }
        stored
    }
}

impl From<&SealedLayer> for StoredLayer {
    fn from(sealed: &SealedLayer) -> Self {
        Self { id: sealed.id.as_bytes().to_vec(), ..Self::from(&sealed.layer) }
    }
}

impl StoredLayer {
    pub(super) fn sealed(&self, what: &str) -> Result<SealedLayer> {
        let id = LayerId::from_slice(&self.id);
        let id = id.ok_or_else(|| value::corrupt(what, "a layer id has 16 bytes"))?;
        Ok(SealedLayer { id, layer: self.layer(what)? })
    }

    pub(super) fn layer(&self, what: &str) -> Result<Layer> {
        let prefix =
            |text: &str| PathPrefix::new(text).map_err(|error| value::corrupt(what, error.message()));
        if let Some(StoredMove { from, to }) = &self.moved {
            return Ok(Layer::Moved { from: prefix(from)?, to: prefix(to)? });
        }
        if let Some(erased) = &self.erased {
            return Ok(Layer::Erased(prefix(erased)?));
        }
        if let Some(StoredGraft { prefix: at, tree }) = &self.grafted {
            let tree = MetarangeId::from_slice(tree);
            let tree = tree.ok_or_else(|| value::corrupt(what, "a metarange id has 32 bytes"))?;
            return Ok(Layer::Grafted { prefix: prefix(at)?, tree });
        }
        value::token(&self.staged_token, what).map(Layer::Staged)
    }
}
