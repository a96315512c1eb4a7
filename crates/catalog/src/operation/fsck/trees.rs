//! Trees: their files, each once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use braid_tree::{Check, CheckEvent, CheckProgress, Pool, RangeDescriptor, RangeStore, TreeId};
use braid_types::{IdentityHasher, MetarangeId, Result};

/// Trees that are to be checked, each once, one after the other.
pub(super) struct Trees {
    ranges: Arc<dyn RangeStore>,
    pool: Pool,
    waiting: Vec<MetarangeId>,
    met: HashSet<MetarangeId>,
    /// What metaranges said of the ranges that were checked.
    known: Arc<Mutex<HashSet<[u8; 32]>>>,
    check: Option<Check>,
}

impl Trees {
    pub(super) fn new(ranges: Arc<dyn RangeStore>, pool: Pool) -> Self {
        let (waiting, met) = (Vec::new(), HashSet::new());
        Self { ranges, pool, waiting, met, known: Arc::default(), check: None }
    }

    /// The empty tree has no files.
    pub(super) fn add(&mut self, tree: TreeId) {
        if let Some(tree) = tree
            && self.met.insert(tree)
        {
            self.waiting.push(tree);
        }
    }

    /// Whether there is a tree to check.
    pub(super) fn is_checking(&mut self) -> bool {
        if self.check.is_none() {
            self.check = self.waiting.pop().map(|tree| self.begin(tree));
        }
        self.check.is_some()
    }

    /// A range that was checked for another tree, which said the same of it, is not checked again.
    fn begin(&self, tree: MetarangeId) -> Check {
        let known = Arc::clone(&self.known);
        let is_new = move |range: &RangeDescriptor| {
            known.lock().expect("nobody panics while holding it").insert(digest(range))
        };
        Check::new(Arc::clone(&self.ranges), &self.pool, Some(tree)).only(is_new)
    }

    /// What is found next in the tree that is being checked; `None` when it is all checked.
    pub(super) async fn next(&mut self) -> Result<Option<CheckEvent>> {
        match &mut self.check {
            Some(check) => Ok(check.next().await?),
            None => Ok(None),
        }
    }

    /// Ends the check of a tree, and says how far it came.
    pub(super) fn finish(&mut self) -> CheckProgress {
        self.check.take().map(|check| check.progress()).unwrap_or_default()
    }
}

/// All that a metarange says of a range.
fn digest(range: &RangeDescriptor) -> [u8; 32] {
    let RangeDescriptor { min_key, max_key, id, size, count, data_bytes } = range;
    let hasher = IdentityHasher::new().bytes(min_key).bytes(max_key).bytes(id.as_bytes());
    let numbers = [Some(*size), Some(*count), *data_bytes].map(|number| format!("{number:?}"));
    hasher.strings(&numbers).finish()
}
