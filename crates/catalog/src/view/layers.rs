//! Cursors over staged layers: what the newest of them says of each path of a piece.

use std::collections::VecDeque;
use std::sync::Arc;

use braid_kv::{ScanOptions, Snapshot};
use braid_tree::{Value, key_after};
use braid_types::{Result, StagingToken};
use bytes::Bytes;

use super::piece::{Piece, Shift};
use crate::record::staged;

/// Staged entries are read in pages: small ones first, for listings that end soon.
const FIRST_PAGE: usize = 64;
const LARGEST_PAGE: usize = 4096;

/// What one layer says of a path: the value that was put, or `None` for a delete.
pub(crate) type Staged = (Bytes, Option<Value>);

/// The staged entries of one layer in a piece, in order of paths. All paths are as they are on top, but where the store is
/// read.
struct LayerCursor {
    snapshot: Arc<dyn Snapshot>,
    token: StagingToken,
    shift: Shift,
    buffered: VecDeque<Staged>,
    /// The greatest path that was taken or passed over since the last page began.
    passed: Option<Bytes>,
    /// Where the next page begins; `None` when the layer has been read to its end.
    next_page: Option<Bytes>,
    page: usize,
}

impl LayerCursor {
    fn new(snapshot: Arc<dyn Snapshot>, token: StagingToken, shift: Shift) -> Self {
        let start = Some(Bytes::new());
        let buffered = VecDeque::new();
        Self { snapshot, token, shift, buffered, passed: None, next_page: start, page: FIRST_PAGE }
    }

    /// Moves to the first entry at or after `path`, forwards or backwards.
    fn seek(&mut self, path: &[u8]) {
        if self.passed.as_ref().is_some_and(|passed| &passed[..] >= path) {
            return self.restart(path);
        }
        while self.buffered.front().is_some_and(|(found, _)| &found[..] < path) {
            self.take();
        }
        if self.buffered.is_empty() && self.next_page.as_ref().is_some_and(|next| &next[..] < path) {
            self.restart(path);
        }
    }

    fn restart(&mut self, path: &[u8]) {
        self.buffered.clear();
        self.passed = None;
        self.next_page = Some(Bytes::copy_from_slice(path));
        self.page = FIRST_PAGE;
    }

    fn take(&mut self) -> Option<Staged> {
        let staged = self.buffered.pop_front()?;
        self.passed = Some(staged.0.clone());
        Some(staged)
    }

    async fn peek(&mut self) -> Result<Option<&Staged>> {
        if self.buffered.is_empty() {
            self.read_page().await?;
        }
        Ok(self.buffered.front())
    }

    async fn read_page(&mut self) -> Result<()> {
        let Some(start) = self.next_page.take() else {
            return Ok(());
        };
        let until = self.shift.until().map(|until| &until[..]);
        let range = staged::range_between(&self.token, &self.shift.down(&start), until);
        if range.is_empty() {
            return Ok(());
        }
        let rows = self.snapshot.scan(&range, ScanOptions::first(self.page)).await?;
        let full = rows.len() == self.page;
        for (key, value) in rows {
            let path = self.shift.up(staged::parse_key(&self.token, &key)?);
            self.buffered.push_back((path, staged::decode(&value)?));
        }
        if full {
            self.next_page = self.buffered.back().map(|(path, _)| key_after(path));
        }
        self.page = (self.page * 4).min(LARGEST_PAGE);
        Ok(())
    }
}

/// Several layers as one: for each path of a piece that any of them mentions, what the newest says.
pub(crate) struct Layers {
    /// The newest first.
    cursors: Vec<LayerCursor>,
}

impl Layers {
    /// The staged layers of a piece.
    pub(crate) fn new(snapshot: &Arc<dyn Snapshot>, piece: &Piece) -> Self {
        let cursor = |(token, shift)| LayerCursor::new(Arc::clone(snapshot), token, shift);
        Self { cursors: piece.staged().map(cursor).collect() }
    }

    /// Moves to the first path at or after `path`.
    pub(crate) fn seek(&mut self, path: &[u8]) {
        for cursor in &mut self.cursors {
            cursor.seek(path);
        }
    }

    /// The path that [`Layers::next`] will give.
    pub(crate) async fn peek(&mut self) -> Result<Option<Bytes>> {
        let mut least: Option<Bytes> = None;
        for cursor in &mut self.cursors {
            if let Some((path, _)) = cursor.peek().await?
                && least.as_ref().is_none_or(|least| path < least)
            {
                least = Some(path.clone());
            }
        }
        Ok(least)
    }

    /// The next path and what the newest layer that mentions it says.
    pub(crate) async fn next(&mut self) -> Result<Option<Staged>> {
        let Some(path) = self.peek().await? else {
            return Ok(None);
        };
        let mut newest = None;
        for cursor in &mut self.cursors {
            if cursor.buffered.front().is_some_and(|(found, _)| *found == path) {
                let staged = cursor.take();
                newest = newest.or(staged);
            }
        }
        Ok(newest)
    }
}
