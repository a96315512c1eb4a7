//! Stacks: layers over a tree, and where a path or a stretch of paths is found in them. No I/O: what structural layers mean
//! depends on paths alone.
//!
//! Going down from the newest layer, a path that is looked for is *translated* at each [`Layer::Moved`]: `to/` is tested
//! before `from/`, for what was moved to a place hides what was there. Below an [`Layer::Erased`] or a
//! [`Layer::Grafted`] that covers the path nothing of this stack is seen.
//!
//! All paths together are the same way cut into [`Piece`]s: stretches of paths that go down the same layers with the same
//! translations. A move shifts a contiguous block of paths to another, so a piece is contiguous in every layer.

use std::sync::Arc;

use braid_tree::TreeId;
use braid_types::StagingToken;
use bytes::Bytes;

use super::piece::{self, Piece, joined};
use crate::record::{BranchRecord, Layer};

/// Layers, the newest first, over a tree. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stack {
    layers: Arc<[Layer]>,
    /// The tree below all layers. It is not the branch's where a layer below the others covers everything.
    pub(crate) base: TreeId,
}

/// Where one path is looked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    /// Staged layers that may mention it, the newest first, and the path's name there.
    pub(crate) staged: Vec<(StagingToken, Bytes)>,
    /// The tree that has it if none of them does, and the path's name there; `None` if there is nothing then.
    pub(crate) bottom: Option<(TreeId, Bytes)>,
}

impl Stack {
    /// What a reader of a branch sees.
    pub(crate) fn staged(branch: &BranchRecord) -> Self {
        let open = std::iter::once(Layer::Staged(branch.open.token));
        Self::of(open.chain(sealed(branch)), branch.base)
    }

    /// The same without the open layer.
    pub(crate) fn sealed(branch: &BranchRecord) -> Self {
        Self::of(sealed(branch), branch.base)
    }

    /// A tree alone.
    pub(crate) fn committed(tree: TreeId) -> Self {
        Self { layers: Arc::default(), base: tree }
    }

    /// Layers, the newest first, over a tree. The newest layer that leaves nothing to be seen below it is the ground.
    pub(super) fn of(layers: impl IntoIterator<Item = Layer>, base: TreeId) -> Self {
        let mut above = Vec::new();
        for layer in layers {
            match layer {
                Layer::Erased(prefix) if prefix.is_empty() => {
                    return Self { layers: above.into(), base: None };
                }
                Layer::Grafted { prefix, tree } if prefix.is_empty() => {
                    return Self { layers: above.into(), base: Some(tree) };
                }
                layer => above.push(layer),
            }
        }
        Self { layers: above.into(), base }
    }

    /// Whether the tree is all there is.
    pub(crate) fn is_plain_tree(&self) -> bool {
        self.layers.is_empty()
    }

    /// Where `path` is looked for.
    pub(crate) fn trace(&self, path: &[u8]) -> Trace {
        let (mut staged, mut path) = (Vec::new(), Bytes::copy_from_slice(path));
        for layer in &*self.layers {
            match layer {
                Layer::Staged(token) => staged.push((*token, path.clone())),
                Layer::Moved { from, to } => {
                    if let Some(rest) = path.strip_prefix(to.as_bytes()) {
                        path = joined(from.as_bytes(), rest);
                    } else if path.starts_with(from.as_bytes()) {
                        return Trace { staged, bottom: None };
                    }
                }
                Layer::Erased(prefix) if path.starts_with(prefix.as_bytes()) => {
                    return Trace { staged, bottom: None };
                }
                Layer::Grafted { prefix, tree } if path.starts_with(prefix.as_bytes()) => {
                    return Trace { staged, bottom: Some((Some(*tree), path)) };
                }
                Layer::Erased(_) | Layer::Grafted { .. } => {}
            }
        }
        Trace { staged, bottom: Some((self.base, path)) }
    }

    /// All paths, in order, cut into pieces.
    pub(crate) fn pieces(&self) -> Vec<Piece> {
        piece::cut(&self.layers, self.base)
    }
}

fn sealed(branch: &BranchRecord) -> impl Iterator<Item = Layer> {
    branch.sealed.iter().rev().map(|sealed| sealed.layer.clone())
}
