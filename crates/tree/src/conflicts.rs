//! The conflicts of a merge, as a stream.

use std::sync::Arc;

use bytes::Bytes;

use crate::three_way::{Outcome, ThreeWay};
use crate::{Conflict, Pool, RangeStore, TreeError, TreeId};

/// Walks the paths that both sides changed since the base, differently, in key order.
pub struct Conflicts {
    steps: ThreeWay,
    after: Option<Bytes>,
}

impl Conflicts {
    /// All conflicts of merging `source` into `dest`. Nothing is read yet.
    pub fn new(store: Arc<dyn RangeStore>, pool: &Pool, base: TreeId, dest: TreeId, source: TreeId) -> Self {
        let _ = pool;
        Self { steps: ThreeWay::new(store, base, dest, source), after: None }
    }

    /// Only conflicts of paths after this one.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        self.after = Some(Bytes::copy_from_slice(key));
        self
    }

    /// The next conflict. After an error there is no going on.
    pub async fn next(&mut self) -> Result<Option<Conflict>, TreeError> {
        while let Some(step) = self.steps.next().await? {
            let is_wanted = self.after.as_ref().is_none_or(|after| step.key > after);
            if is_wanted && step.outcome == Outcome::Conflict {
                let (key, base, dest, source) = (step.key, step.base, step.dest, step.source);
                return Ok(Some(Conflict { key, base, dest, source }));
            }
        }
        Ok(None)
    }
}
