//! What the tests of this crate share.

mod conformance;

use std::sync::Arc;

use braid_types::{ManualClock, Time};

pub(crate) use conformance::{Fixture, conformance, suite};

/// A clock that stands in 2026.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Time::from_seconds(1_790_000_000)))
}
