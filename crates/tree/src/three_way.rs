//! What a merge has to do, path by path.
use std::sync::Arc;

use bytes::Bytes;

use crate::{RangeStore, Record, TreeError, TreeId};

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

/// Walks the steps of a three-way merge in key order. Ranges that two of the trees share are skipped where they say
/// that there is nothing to do.
pub struct ThreeWay {}

impl ThreeWay {
    /// The steps that bring what `source` changed since `base` into `dest`. Nothing is read yet.
    pub fn new(_store: Arc<dyn RangeStore>, _base: TreeId, _dest: TreeId, _source: TreeId) -> Self {
        todo!()
    }

    /// The next step.
    pub async fn next(&mut self) -> Result<Option<MergeStep>, TreeError> {
        todo!()
    }
}
