//! Staged layers over a tree, as one ordered cursor.

use async_trait::async_trait;
use braid_tree::{Cursor, Record, TreeCursor, TreeError, Wanted};

use super::Layers;

/// The tree with the layers' puts in place and without what they delete.
pub(crate) struct Overlay {
    layers: Layers,
    tree: TreeCursor,
    /// The tree's next record, read ahead to be compared with the layers'.
    ahead: Option<Record>,
}

impl Overlay {
    pub(crate) fn new(layers: Layers, tree: TreeCursor) -> Self {
        Self { layers, tree, ahead: None }
    }

    async fn tree_peek(&mut self) -> Result<Option<&Record>, TreeError> {
        if self.ahead.is_none() {
            self.ahead = self.tree.next().await?;
        }
        Ok(self.ahead.as_ref())
    }
}

#[async_trait]
impl Cursor for Overlay {
    async fn seek(&mut self, key: &[u8]) -> Result<(), TreeError> {
        self.layers.seek(key);
        self.ahead = None;
        self.tree.seek(key).await
    }

    fn expect(&mut self, wanted: Wanted) {
        self.tree.expect(wanted);
    }

    async fn next(&mut self) -> Result<Option<Record>, TreeError> {
        loop {
            let staged = self.layers.peek().await?;
            let tree = self.tree_peek().await?.map(|record| record.key.clone());
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
}
