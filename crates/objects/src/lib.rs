//! The object store port: S3, local disk with its own S3 endpoint, memory; presigned URLs.

mod endpoint;
mod error;
mod key;
mod local;
mod memory;
mod port;
mod presign;
pub mod protocol;
mod range;
mod s3;
mod stores;
mod stream;
#[cfg(any(test, feature = "testing"))]
mod testing;
mod transfers;
mod uri;
mod wrap;

pub use endpoint::{S3Endpoint, s3_endpoint};
pub use error::ObjectError;
pub use key::InternalKey;
pub use local::{LocalBuckets, LocalStore, OpenError};
pub use memory::MemoryStore;
pub use port::{
    MAX_KEY_BYTES, MAX_PAGE, MAX_PRESIGN_TTL, ObjectMeta, ObjectStore, Page, PresignGetOptions,
    PresignPutOptions, Presigned, PutOptions, PutResult, check_key,
};
pub use range::ByteRange;
pub use s3::{S3Buckets, S3Config, S3Credentials, S3Timeouts};
pub use stores::{Buckets, SingleStore, StoreSet, Stores};
pub use stream::{ByteStream, Reading, Source};
#[cfg(any(test, feature = "testing"))]
pub use testing::{Lossy, Synced};
pub use transfers::{MAX_PART_NUMBER, PartMeta, PartPage, PartPlace, Transfers, UploadMeta};
pub use uri::{InvalidStorageUri, StorageUri, is_local_bucket};
pub use wrap::{Counted, Counters, Counts, Failure, Faulty, Operation, Prefixed};
