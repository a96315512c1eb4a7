//! The store under test, and what the suite needs to know of it.

use crate::{Kv, Limits};
use std::{fmt, sync::Arc, time::Duration};

type PassTime = Arc<dyn Fn(Duration) + Send + Sync>;

/// An empty store to be tested.
#[derive(Clone)]
pub struct Subject {
    pub(super) kv: Arc<dyn Kv>,
    pub(super) limits: Option<Limits>,
    pub(super) pass_time: Option<PassTime>,
    pub(super) leaves_marks: bool,
}

impl Subject {
    /// A store of which nothing more is known: its limits and the end of its snapshots are not tested.
    pub fn new(kv: Arc<dyn Kv>) -> Self {
        Self { kv, limits: None, pass_time: None, leaves_marks: false }
    }

    /// A store with these limits. They must allow 10,000 keys in a transaction and 64 open transactions, and should
    /// be little more, since the suite goes one over each.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits: Some(limits), ..self }
    }

    /// A store where a commit may leave marks on keys that it did not change, either because it failed or because it only
    /// held them: a transaction that began earlier may then conflict there.
    #[must_use]
    pub fn that_leaves_marks(self) -> Self {
        Self { leaves_marks: true, ..self }
    }

    /// A store whose clock can be moved on.
    #[must_use]
    pub fn with_clock(self, pass_time: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self { pass_time: Some(Arc::new(pass_time)), ..self }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("limits", &self.limits).finish_non_exhaustive()
    }
}
