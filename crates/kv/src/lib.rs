//! The transactional key-value port of Braid, its backends, and fences over it.

mod ahead;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod convert;
mod embedded;
mod error;
mod fence;
mod key;
mod locks;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod pins;
mod port;
mod tikv;
mod transaction;
mod writes;

pub use ahead::{snapshot_ahead, transaction_ahead};
pub use embedded::{Embedded, EmbeddedSettings};
pub use error::{ErrorKind, KvError, Measure};
pub use fence::{Fence, FenceError, Held, LaneGuard, LanePool, Pass};
pub use key::KeyRange;
#[cfg(any(test, feature = "testing"))]
pub use memory::{Memory, MemorySettings};
pub use port::{Conflict, ConflictReason, Kv, Mode, Outcome, ScanOptions, Snapshot, Timestamp, Transaction};
#[cfg(any(test, feature = "testing"))]
pub use tikv::TestPlace;
pub use tikv::{InvalidTikvUri, Tikv, TikvSettings, TikvTls, TikvUri};
pub use writes::Limits;
