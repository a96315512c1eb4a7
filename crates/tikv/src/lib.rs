//! A transaction client of our own for TiKV, and a protocol server to test it with.

mod client;
mod core;
mod error;
mod failure;
mod flights;
mod garbage;
mod keyspace;
mod locks;
mod memcomparable;
mod meters;
mod net;
mod outcome;
mod patience;
mod pd;
mod proto;
mod range;
mod region;
mod settings;
mod snapshot;
mod spread;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod timestamp;
mod transaction;

pub use client::Client;
pub use error::{Error, Measure};
pub use outcome::{Conflict, ConflictReason, Outcome};
pub use range::{KeyRange, ScanOptions};
pub use settings::{Identity, Limits, Security, Settings};
pub use snapshot::Snapshot;
pub use timestamp::Timestamp;
pub use transaction::{Mode, Transaction};
