//! A whole stack as one ordered cursor: piece after piece, each entered when something of it is asked for.

use std::sync::Arc;

use async_trait::async_trait;
use braid_kv::Snapshot;
use braid_tree::{Cursor, RangeStore, Record, TreeCursor, TreeError, TreeId, Wanted};
use bytes::Bytes;

use super::Layers;
use super::overlay::{Overlay, TreePiece};
use super::piece::Piece;

/// All that a reader of a stack sees.
pub(crate) struct Composed {
    pieces: Arc<[Piece]>,
    sources: Sources,
    wanted: Wanted,
    /// The piece in which it stands, or before which.
    at: usize,
    entered: Option<Overlay>,
    /// Where it goes on in the piece once that is entered; `None` is its beginning.
    from: Option<Bytes>,
}

/// What pieces are read from.
struct Sources {
    snapshot: Arc<dyn Snapshot>,
    ranges: Arc<dyn RangeStore>,
    /// Cursors of trees that no piece uses just now: they know what they have read.
    idle: Vec<(TreeId, TreeCursor)>,
}

impl Composed {
    /// A cursor over `pieces`, which are in order.
    pub(crate) fn new(
        snapshot: Arc<dyn Snapshot>,
        ranges: Arc<dyn RangeStore>,
        pieces: impl Into<Arc<[Piece]>>,
    ) -> Self {
        let sources = Sources { snapshot, ranges, idle: Vec::new() };
        let wanted = Wanted::default();
        Self { pieces: pieces.into(), sources, wanted, at: 0, entered: None, from: None }
    }

    fn leave(&mut self) {
        if let Some(tree) = self.entered.take().and_then(Overlay::into_tree) {
            self.sources.idle.push(tree.into_cursor());
        }
    }

    /// Whether nothing that is wanted is in `piece`, nor after it.
    fn is_beyond(&self, piece: &Piece) -> bool {
        self.wanted.end.as_ref().is_some_and(|end| piece.start() >= *end)
    }
}

impl Sources {
    async fn enter(&mut self, piece: &Piece, from: &[u8], wanted: &Wanted) -> Result<Overlay, TreeError> {
        let tree = piece.tree().map(|(tree, shift)| TreePiece::new(tree, self.cursor(tree), shift));
        let mut overlay = Overlay::new(Layers::new(&self.snapshot, piece), tree);
        overlay.expect(wanted);
        overlay.seek(from).await?;
        Ok(overlay)
    }

    fn cursor(&mut self, tree: TreeId) -> TreeCursor {
        match self.idle.iter().position(|(idle, _)| *idle == tree) {
            Some(index) => self.idle.swap_remove(index).1,
            None => TreeCursor::new(Arc::clone(&self.ranges), tree),
        }
    }
}

#[async_trait]
impl Cursor for Composed {
    async fn seek(&mut self, key: &[u8]) -> Result<(), TreeError> {
        let at = self.pieces.partition_point(|piece| piece.end().is_some_and(|end| end <= key));
        if at == self.at
            && let Some(entered) = &mut self.entered
        {
            return entered.seek(key).await;
        }
        self.leave();
        (self.at, self.from) = (at, Some(Bytes::copy_from_slice(key)));
        Ok(())
    }

    fn expect(&mut self, wanted: Wanted) {
        if let Some(entered) = &mut self.entered {
            entered.expect(&wanted);
        }
        self.wanted = wanted;
    }

    async fn next(&mut self) -> Result<Option<Record>, TreeError> {
        let pieces = Arc::clone(&self.pieces);
        while let Some(piece) = pieces.get(self.at) {
            if self.entered.is_none() {
                if self.is_beyond(piece) {
                    return Ok(None);
                }
                let from = self.from.take().unwrap_or_else(|| piece.start());
                self.entered = Some(self.sources.enter(piece, &from, &self.wanted).await?);
            }
            let entered = self.entered.as_mut().expect("it was entered if it was not");
            if let Some(record) = entered.next().await? {
                return Ok(Some(record));
            }
            self.leave();
            self.at += 1;
        }
        Ok(None)
    }
}
