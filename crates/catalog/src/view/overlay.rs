//! One piece of a stack as an ordered cursor: staged layers over what a tree has there.

use braid_tree::{Cursor, Record, TreeCursor, TreeError, TreeId, Wanted};
use bytes::Bytes;

use super::Layers;
use super::piece::Shift;

/// The records of a tree in a piece, under the paths that they have on top.
pub(crate) struct TreePiece {
    pub(crate) tree: TreeId,
    cursor: TreeCursor,
    shift: Shift,
}

/// The tree's records with the layers' puts in place and without what they delete.
pub(crate) struct Overlay {
    layers: Layers,
    /// Nothing lies below the layers if there is none.
    tree: Option<TreePiece>,
    /// The tree's next record, read ahead to be compared with the layers'.
    ahead: Option<Record>,
}

impl TreePiece {
    /// A cursor of a tree, of which only the stretch of `shift` is read.
    pub(crate) fn new(tree: TreeId, cursor: TreeCursor, shift: Shift) -> Self {
        Self { tree, cursor, shift }
    }

    pub(crate) fn into_cursor(self) -> (TreeId, TreeCursor) {
        (self.tree, self.cursor)
    }

    pub(crate) async fn seek(&mut self, key: &[u8]) -> Result<(), TreeError> {
        self.cursor.seek(&self.shift.down(key)).await
    }

    pub(crate) fn expect(&mut self, wanted: &Wanted) {
        let end = wanted.end.as_ref().map(|end| self.shift.down(end));
        let end = match (end, self.shift.until()) {
            (Some(end), Some(until)) => Some(end.min(until.clone())),
            (end, until) => end.or_else(|| until.cloned()),
        };
        self.cursor.expect(Wanted { end, ..wanted.clone() });
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Record>, TreeError> {
        let Some(record) = self.cursor.next().await? else {
            return Ok(None);
        };
        if self.shift.until().is_some_and(|until| record.key >= *until) {
            return Ok(None);
        }
        Ok(Some(Record { key: self.shift.up(record.key), value: record.value }))
    }
}

impl Overlay {
    pub(crate) fn new(layers: Layers, tree: Option<TreePiece>) -> Self {
        Self { layers, tree, ahead: None }
    }

    pub(crate) fn into_tree(self) -> Option<TreePiece> {
        self.tree
    }

    pub(crate) async fn seek(&mut self, key: &[u8]) -> Result<(), TreeError> {
        self.layers.seek(key);
        self.ahead = None;
        match &mut self.tree {
            Some(tree) => tree.seek(key).await,
            None => Ok(()),
        }
    }

    pub(crate) fn expect(&mut self, wanted: &Wanted) {
        if let Some(tree) = &mut self.tree {
            tree.expect(wanted);
        }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Record>, TreeError> {
        loop {
            let staged = self.layers.peek().await?;
            let tree = self.tree_peek().await?;
            let Some(path) = staged else {
                return Ok(self.ahead.take());
            };
            if tree.as_ref().is_some_and(|tree| *tree < path) {
                return Ok(self.ahead.take());
            }
            if tree.is_some_and(|tree| tree == path) {
                self.ahead = None;
            }
            if let Some((key, Some(value))) = self.layers.next().await? {
                return Ok(Some(Record { key, value }));
            }
        }
    }

    async fn tree_peek(&mut self) -> Result<Option<Bytes>, TreeError> {
        if let (None, Some(tree)) = (&self.ahead, &mut self.tree) {
            self.ahead = tree.next().await?;
        }
        Ok(self.ahead.as_ref().map(|record| record.key.clone()))
    }
}
