//! The transactional key-value port of Braid, its backends, and fences over it.

mod convert;
mod error;
mod fence;
mod key;
mod port;

pub use error::{ErrorKind, KvError, Measure};
pub use fence::{Fence, FenceError, Held, LaneGuard, LanePool, Pass};
pub use key::KeyRange;
pub use port::{Conflict, ConflictReason, Kv, Mode, Outcome, ScanOptions, Snapshot, Timestamp, Transaction};
