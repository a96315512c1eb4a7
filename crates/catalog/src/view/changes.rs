//! What layers change of the tree below them, as a stream in order of paths.
//!
//! In a piece whose staged layers lie on that tree they are the changes, whatever it has there. Elsewhere, where paths were
//! moved, erased or grafted, what is seen is compared with what the tree has.

use std::cmp::Ordering;
use std::pin::Pin;
use std::sync::Arc;

use async_stream::try_stream;
use braid_kv::Snapshot;
use braid_tree::{Change, Cursor, Record, TreeCursor, TreeError};
use bytes::Bytes;
use futures::Stream;

use super::composed::Composed;
use super::overlay::TreePiece;
use super::piece::Piece;
use super::{Layers, View};

/// Changes in order of paths.
pub(crate) type Changes = Pin<Box<dyn Stream<Item = Result<Change, TreeError>> + Send>>;

impl View {
    /// What the layers change, together, of the tree below them, from the path `from` on. Some may change nothing.
    pub(crate) fn changes(&self, snapshot: &Arc<dyn Snapshot>, from: &[u8]) -> Changes {
        let (view, snapshot, from) = (self.clone(), Arc::clone(snapshot), Bytes::copy_from_slice(from));
        Box::pin(try_stream! {
            for piece in view.stack.pieces() {
                if piece.end().is_some_and(|end| end <= from) {
                    continue;
                }
                if piece.lies_on(view.stack.base) {
                    let mut layers = Layers::new(&snapshot, &piece);
                    layers.seek(&from);
                    while let Some((key, value)) = layers.next().await? {
                        yield Change { key, value };
                    }
                    continue;
                }
                let mut compared = Compared::new(&view, &snapshot, piece, &from).await?;
                while let Some(change) = compared.next().await? {
                    yield change;
                }
            }
        })
    }
}

/// A piece beside what the tree below all layers has at its paths.
struct Compared {
    base: TreePiece,
    seen: Composed,
    next_base: Option<Record>,
    next_seen: Option<Record>,
}

impl Compared {
    async fn new(
        view: &View,
        snapshot: &Arc<dyn Snapshot>,
        piece: Piece,
        from: &Bytes,
    ) -> Result<Self, TreeError> {
        let start = piece.start().max(from.clone());
        let tree = TreeCursor::new(Arc::clone(&view.ranges), view.stack.base);
        let mut base = TreePiece::new(view.stack.base, tree, piece.unshifted());
        base.expect(&braid_tree::Wanted::default());
        base.seek(&start).await?;
        let mut seen = Composed::new(Arc::clone(snapshot), Arc::clone(&view.ranges), [piece]);
        seen.seek(&start).await?;
        let (next_base, next_seen) = (base.next().await?, seen.next().await?);
        Ok(Self { base, seen, next_base, next_seen })
    }

    async fn next(&mut self) -> Result<Option<Change>, TreeError> {
        loop {
            let order = match (&self.next_base, &self.next_seen) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(base), Some(seen)) => base.key.cmp(&seen.key),
            };
            let base = if order.is_le() { self.take_base().await? } else { None };
            let seen = if order.is_ge() { self.take_seen().await? } else { None };
            match (base, seen) {
                (Some(base), Some(seen)) if base.identity() == seen.identity() => {}
                (_, Some(seen)) => return Ok(Some(seen.into())),
                (Some(base), None) => return Ok(Some(Change::delete(base.key))),
                (None, None) => unreachable!("one of them was there"),
            }
        }
    }

    async fn take_base(&mut self) -> Result<Option<Record>, TreeError> {
        let next = self.base.next().await?;
        Ok(std::mem::replace(&mut self.next_base, next))
    }

    async fn take_seen(&mut self) -> Result<Option<Record>, TreeError> {
        let next = self.seen.next().await?;
        Ok(std::mem::replace(&mut self.next_seen, next))
    }
}
