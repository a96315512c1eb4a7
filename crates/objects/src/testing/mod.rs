//! What tests share: the disk in memory with those of other crates, the rest with those of this crate.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod conformance_transfers;
mod lossy;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tracked;

#[cfg(test)]
use std::sync::Arc;

#[cfg(test)]
use braid_types::{Clock, ManualClock, SystemClock, Time};

#[cfg(test)]
pub(crate) use conformance::{Fixture, conformance, suite};
#[cfg(test)]
pub(crate) use conformance_transfers::{conformance_transfers, transfers_suite};
pub use lossy::{Lossy, Synced};
#[cfg(test)]
pub(crate) use server::{BUCKET, Server, http, internal_key, serve, serve_behind};
#[cfg(test)]
pub(crate) use tracked::Tracked;

/// A clock that stands in 2026.
#[cfg(test)]
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Time::from_seconds(1_790_000_000)))
}

/// A clock that stands `hours` from now: endpoints check signatures by the machine's clock.
#[cfg(test)]
pub(crate) fn clock_off_by(hours: i64) -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Time::from_seconds(SystemClock.now().seconds + hours * 3600)))
}
