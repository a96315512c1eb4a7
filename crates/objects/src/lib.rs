//! The object store port: S3, local disk with its own S3 endpoint, memory; presigned URLs.

mod error;
mod memory;
mod port;
mod range;
mod stores;
mod uri;
mod wrap;

pub use error::ObjectError;
pub use memory::MemoryStore;
pub use port::{
    MAX_KEY_BYTES, MAX_PAGE, MAX_PRESIGN_TTL, ObjectMeta, ObjectStore, Page, PresignGetOptions,
    PresignPutOptions, Presigned, PutOptions, PutResult, check_key,
};
pub use range::ByteRange;
pub use stores::{Buckets, SingleStore, StoreSet, Stores};
pub use uri::{InvalidStorageUri, StorageUri, is_local_bucket};
pub use wrap::{Counted, Counters, Counts, Failure, Faulty, Operation, Prefixed};
