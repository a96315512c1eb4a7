//! What the tests of this crate share.

mod conformance;
mod lossy;
mod server;

use std::sync::Arc;

use braid_types::{Clock, ManualClock, SystemClock, Time};

pub(crate) use conformance::{Fixture, conformance, suite};
pub(crate) use lossy::{Lossy, Synced};
pub(crate) use server::{BUCKET, Server, http, internal_key, serve, serve_behind};

/// A clock that stands in 2026.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Time::from_seconds(1_790_000_000)))
}

/// A clock that stands `hours` from now: endpoints check signatures by the machine's clock.
pub(crate) fn clock_off_by(hours: i64) -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Time::from_seconds(SystemClock.now().seconds + hours * 3600)))
}
