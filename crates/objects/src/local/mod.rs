//! Objects on a local disk: content in files of its own naming, everything else in an index.
//!
//! Words: a *place* is a bucket and a key; a *content file* holds bytes and nothing else, is written once and
//! named by a `FileId`; the *index* says which content files an object is made of. An object exists from the
//! moment the index says so.
//!
//! A write goes: temporary file, sync, rename into its shard, sync of the shard, then the index, which one thread
//! commits for all concurrent writers together. So whatever the index names is durable, and what a crash leaves
//! behind is at most content that nobody names, which the next start removes.

mod blocks;
mod bucket;
mod change;
mod content;
mod disk;
mod error;
pub(crate) mod files;
mod index;
mod listing;
mod multipart;
mod pins;
mod record;
mod small;
mod store;
mod sweep;
#[cfg(test)]
mod tests;
mod transfers;
mod upload;
mod writer;

pub use bucket::LocalBuckets;
pub use change::Condition;
pub use error::OpenError;
pub use store::LocalStore;

pub(crate) use content::Content;
pub(crate) use error::LocalError;
pub(crate) use listing::{Listed, ListingQuery};
pub(crate) use multipart::{PartInfo, UploadInfo};
pub(crate) use record::{Attributes, StoredObject};
pub(crate) use upload::{Upload, Written};
