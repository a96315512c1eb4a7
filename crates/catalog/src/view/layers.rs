//! Cursors over staged layers: what the newest of them says of each path.

use std::collections::VecDeque;
use std::sync::Arc;

use braid_kv::{ScanOptions, Snapshot};
use braid_tree::Value;
use braid_types::{Result, StagingToken};
use bytes::Bytes;

use crate::record::staged;

/// Staged entries are read in pages: small ones first, for listings that end soon.
const FIRST_PAGE: usize = 64;
const LARGEST_PAGE: usize = 4096;

/// What one layer says of a path: the value that was put, or `None` for a delete.
pub(crate) type Staged = (Bytes, Option<Value>);

/// The staged entries of one layer, in order of paths.
pub(crate) struct LayerCursor {
    snapshot: Arc<dyn Snapshot>,
    token: StagingToken,
    buffered: VecDeque<Staged>,
    /// The greatest path that was taken or passed over since the last page began.
    passed: Option<Bytes>,
    /// Where the next page begins; `None` when the layer has been read to its end.
    next_page: Option<Bytes>,
    page: usize,
}

impl LayerCursor {
    pub(crate) fn new(snapshot: Arc<dyn Snapshot>, token: StagingToken) -> Self {
        let start = Some(Bytes::new());
        Self { snapshot, token, buffered: VecDeque::new(), passed: None, next_page: start, page: FIRST_PAGE }
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
        let range = staged::range_from(&self.token, &start);
        let rows = self.snapshot.scan(&range, ScanOptions::first(self.page)).await?;
        let full = rows.len() == self.page;
        for (key, value) in rows {
            self.buffered.push_back((staged::parse_key(&self.token, &key)?, staged::decode(&value)?));
        }
        if full {
            self.next_page = self.buffered.back().map(|(path, _)| just_after(path));
        }
        self.page = (self.page * 4).min(LARGEST_PAGE);
        Ok(())
    }
}

/// The smallest path greater than `path`.
fn just_after(path: &[u8]) -> Bytes {
    [path, &[0]].concat().into()
}

/// Several layers as one: for each path that any of them mentions, what the newest says.
pub(crate) struct Layers {
    /// The newest first.
    cursors: Vec<LayerCursor>,
}

impl Layers {
    /// The layers under `tokens`, the newest first.
    pub(crate) fn new(snapshot: &Arc<dyn Snapshot>, tokens: &[StagingToken]) -> Self {
        let cursors = tokens.iter().map(|&token| LayerCursor::new(Arc::clone(snapshot), token)).collect();
        Self { cursors }
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
