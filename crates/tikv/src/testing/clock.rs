//! The cluster's wall clock: it runs with the runtime's, and can be put forward.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Clock {
    began: Instant,
    /// Milliseconds since 1970 at `began`, and as far as the clock was put forward.
    base: AtomicU64,
}

impl Clock {
    pub(super) fn at(milliseconds: u64) -> Self {
        Self { began: Instant::now(), base: AtomicU64::new(milliseconds) }
    }

    /// Milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        self.base.load(Ordering::SeqCst) + whole_milliseconds(self.began.elapsed())
    }

    pub(super) fn turn_back(&self, by: Duration) {
        self.base.fetch_sub(whole_milliseconds(by), Ordering::SeqCst);
    }

    pub(super) fn advance(&self, by: Duration) {
        self.base.fetch_add(whole_milliseconds(by), Ordering::SeqCst);
    }
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
