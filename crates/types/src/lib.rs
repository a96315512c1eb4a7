//! The words of Braid as types: names, ids, paths, entries, commits, ref expressions and errors. No I/O.

mod clock;
mod commit;
mod entry;
mod error;
mod hash;
mod id;
pub mod limits;
mod name;
mod path;
mod pull_id;
mod random;
mod reference;
mod time;
pub mod xid;

pub use clock::{Clock, ManualClock, SystemClock};
pub use commit::{COMMIT_VERSION, Commit};
pub use entry::{AddressType, Entry, check_metadata};
pub use error::{Code, Error, GrpcStatus, Result};
pub use hash::IdentityHasher;
pub use id::{
    CommitId, ImportId, Incarnation, LayerId, MetarangeId, RangeId, RepositoryId, RequestId, StagingToken,
};
pub use name::{BranchName, RepositoryName, TagName};
pub use path::{ObjectPath, PathPrefix};
pub use pull_id::PullId;
pub use random::{Random, SeededRandom, SystemRandom};
pub use reference::{Modifier, RefExpression, View};
pub use time::Time;
