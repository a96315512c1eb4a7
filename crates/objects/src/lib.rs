//! The object store port: S3, local disk with its own S3 endpoint, memory; presigned URLs.

mod error;
mod port;
mod range;

pub use error::ObjectError;
pub use port::{
    MAX_KEY_BYTES, MAX_PAGE, MAX_PRESIGN_TTL, ObjectMeta, ObjectStore, Page, PresignGetOptions,
    PresignPutOptions, Presigned, PutOptions, PutResult,
};
pub use range::ByteRange;
