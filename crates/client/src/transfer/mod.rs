//! Data between this machine and the object store, by presigned URL.
//!
//! Transfers are tried again when the store is busy or a connection breaks: an upload from its beginning, a download from
//! where it broke off. A URL that the store no longer takes is renewed. Memory does not grow with the size of the data.

mod body;
mod checksum;
mod download;
mod error;
mod parts;
mod stall;
mod store;
mod upload;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use body::Body;
pub use error::TransferError;
pub use parts::{IN_PARTS_ABOVE, SentParts};
pub(crate) use store::http_client;
pub use upload::UploadOptions;

/// Told how many bytes of an object have moved so far. The number goes back to zero when an upload begins anew.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;
