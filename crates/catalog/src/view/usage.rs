//! How much is seen under a prefix, piece by piece.

use std::sync::Arc;

use async_stream::try_stream;
use braid_kv::Snapshot;
use braid_tree::{Change, Pending, TreeError, Usage, prefix_end, usage_between};
use braid_types::Result;
use bytes::Bytes;
use futures::Stream;

use super::piece::{Piece, Shift};
use super::{Layers, View};

/// The part of a piece that is summed up.
struct Part<'a> {
    piece: &'a Piece,
    from: Bytes,
    until: Option<Bytes>,
}

impl View {
    /// How much is seen under a prefix.
    pub(crate) async fn usage(&self, snapshot: &Arc<dyn Snapshot>, prefix: &[u8]) -> Result<Usage> {
        let (from, until) = (Bytes::copy_from_slice(prefix), prefix_end(prefix));
        let mut sum = Usage::default();
        for piece in self.stack.pieces() {
            if let Some(part) = Part::of(&piece, &from, until.as_ref()) {
                sum = sum.plus(self.usage_of(snapshot, part).await?);
            }
        }
        Ok(sum)
    }

    async fn usage_of(&self, snapshot: &Arc<dyn Snapshot>, part: Part<'_>) -> Result<Usage> {
        let (tree, shift) = part.piece.tree().unwrap_or_else(|| (None, part.piece.unshifted()));
        let until = part.until.as_ref().map(|until| shift.down(until)).or_else(|| shift.until().cloned());
        let below = usage_between(&*self.ranges, tree, &shift.down(&part.from), until.as_deref()).await?;
        let staged = Box::pin(part.staged(snapshot, shift));
        let mut pending = Pending::new(Arc::clone(&self.ranges), tree, staged);
        let (mut gained, mut lost) = (Usage::default(), Usage::default());
        while let Some(change) = pending.next().await? {
            for (record, side) in [(&change.left, &mut lost), (&change.right, &mut gained)] {
                if let Some(record) = record {
                    *side = side.plus(Usage { entries: 1, data_bytes: record.entry()?.size });
                }
            }
        }
        let all = below.plus(gained);
        Ok(Usage {
            entries: all.entries.saturating_sub(lost.entries),
            data_bytes: all.data_bytes.saturating_sub(lost.data_bytes),
        })
    }
}

impl<'a> Part<'a> {
    /// What of a piece is from `from` on, and before `until`.
    fn of(piece: &'a Piece, from: &Bytes, until: Option<&Bytes>) -> Option<Self> {
        let from = piece.start().max(from.clone());
        let until = match (piece.end(), until) {
            (Some(end), Some(until)) => Some(end.min(until.clone())),
            (end, until) => end.or_else(|| until.cloned()),
        };
        let is_empty = until.as_ref().is_some_and(|until| *until <= from);
        (!is_empty).then_some(Self { piece, from, until })
    }

    /// What is staged in it, under the names that the tree below has for the paths.
    fn staged(
        &self,
        snapshot: &Arc<dyn Snapshot>,
        shift: Shift,
    ) -> impl Stream<Item = Result<Change, TreeError>> + Send + use<> {
        let mut layers = Layers::new(snapshot, self.piece);
        layers.seek(&self.from);
        let until = self.until.clone();
        try_stream! {
            while let Some((key, value)) = layers.next().await? {
                if until.as_ref().is_some_and(|until| key >= *until) {
                    break;
                }
                yield Change { key: shift.down(&key), value };
            }
        }
    }
}
