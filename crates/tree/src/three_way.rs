//! What a merge has to do, path by path.

use std::sync::Arc;

use bytes::Bytes;

use crate::diff::{Step, enter, step, take};
use crate::record::same_content;
use crate::walk::{Position, Walk};
use crate::{RangeStore, Record, TreeError, TreeId, key_after};

/// What is to be done with a path that the source changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The destination did not change it: it becomes what the source has.
    TakeSource,
    /// The destination changed it to something else.
    Conflict,
}

/// A path whose content in the source is neither the base's nor the destination's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeStep {
    /// The path's raw bytes.
    pub key: Bytes,
    /// Its record in the base.
    pub base: Option<Record>,
    /// Its record in the destination.
    pub dest: Option<Record>,
    /// Its record in the source.
    pub source: Option<Record>,
    /// What is to be done with it.
    pub outcome: Outcome,
}

/// Walks the steps of a three-way merge in key order.
///
/// Ranges that the source shares with the base, or with the destination, are skipped by their ids. A range of the
/// destination is not opened where it is the base's.
pub struct ThreeWay {
    base: Walk,
    dest: Walk,
    source: Walk,
}

impl ThreeWay {
    /// The steps that bring what `source` changed since `base` into `dest`. Nothing is read yet.
    pub fn new(store: Arc<dyn RangeStore>, base: TreeId, dest: TreeId, source: TreeId) -> Self {
        let base = Walk::new(Arc::clone(&store), base);
        let dest = Walk::new(Arc::clone(&store), dest);
        Self { base, dest, source: Walk::new(store, source) }
    }

    /// The next step.
    pub async fn next(&mut self) -> Result<Option<MergeStep>, TreeError> {
        if self.source.tree() == self.base.tree() || self.source.tree() == self.dest.tree() {
            return Ok(None);
        }
        futures::try_join!(self.base.ready(), self.dest.ready(), self.source.ready())?;
        loop {
            if self.skip_what_dest_has()? {
                continue;
            }
            match step(&self.base.position(), &self.source.position()) {
                Step::Done => return Ok(None),
                Step::Skip => {
                    self.base.skip_range();
                    self.source.skip_range();
                }
                Step::Enter(sides) => enter(&mut self.base, &mut self.source, sides).await?,
                Step::Take(sides) => {
                    let (base, source) = take(&mut self.base, &mut self.source, sides)?;
                    if let Some(step) = self.merge_step(base, source).await? {
                        return Ok(Some(step));
                    }
                }
            }
        }
    }

    /// Skips the range before which the source stands if the destination has it too.
    fn skip_what_dest_has(&mut self) -> Result<bool, TreeError> {
        let Position::Range(range) = self.source.position() else {
            return Ok(false);
        };
        // What the base has before it is still to be compared.
        if self.base.position().key().is_some_and(|key| *key < range.min_key) {
            return Ok(false);
        }
        self.dest.seek_forward(&range.min_key)?;
        if !matches!(self.dest.position(), Position::Range(dest) if dest.id == range.id) {
            return Ok(false);
        }
        let behind = key_after(&range.max_key);
        self.source.skip_range();
        self.dest.skip_range();
        self.base.seek_forward(&behind)?;
        Ok(true)
    }

    async fn merge_step(
        &mut self,
        base: Option<Record>,
        source: Option<Record>,
    ) -> Result<Option<MergeStep>, TreeError> {
        if same_content(base.as_ref(), source.as_ref()) {
            return Ok(None);
        }
        let key = source.as_ref().or(base.as_ref()).expect("one of two that differ is there").key.clone();
        let dest = self.find_in_dest(&key, base.as_ref()).await?;
        if same_content(dest.as_ref(), source.as_ref()) {
            return Ok(None);
        }
        let outcome = match same_content(dest.as_ref(), base.as_ref()) {
            true => Outcome::TakeSource,
            false => Outcome::Conflict,
        };
        Ok(Some(MergeStep { key, base, dest, source, outcome }))
    }

    async fn find_in_dest(
        &mut self,
        key: &Bytes,
        base: Option<&Record>,
    ) -> Result<Option<Record>, TreeError> {
        self.dest.seek_forward(key)?;
        // The base has entered that range to get here, so both have the same from here on to its end.
        if let Position::Range(range) = self.dest.position()
            && self.base.entered() == Some(range.id)
        {
            return Ok(base.cloned());
        }
        self.dest.find(key).await
    }
}
