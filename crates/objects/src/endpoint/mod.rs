//! The S3 protocol over the local store, so that presigned URLs and S3 tools work without S3.
//!
//! A request passes the [`front`](front::S3Endpoint), which refuses what the protocol library would misunderstand
//! and lets browsers in; the library checks its signature and parses it; [`LocalS3`] carries it out.

mod access;
mod attributes;
mod bucket;
mod error;
mod front;
mod list;
mod multipart;
mod object;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

pub use front::S3Endpoint;

use crate::{InternalKey, LocalStore};

/// What requests are carried out on.
#[derive(Debug, Clone)]
struct LocalS3 {
    store: Arc<LocalStore>,
    /// Buckets that are listed even if they are empty.
    buckets: Vec<String>,
}

crate::s3_operations!(LocalS3);

/// The S3 endpoint of `store`: a service to be mounted, for instance as the fallback of an axum router. Requests
/// must be signed with `key`, in a header or in a presigned URL, by Signature Version 4; the machine's clock decides
/// whether a signature is still valid. Every bucket whose name [is local](crate::is_local_bucket) is there, and
/// `buckets` are listed even while they are empty.
pub fn s3_endpoint(
    store: Arc<LocalStore>,
    key: &InternalKey,
    buckets: impl IntoIterator<Item = String>,
) -> S3Endpoint {
    let local = LocalS3 { store, buckets: buckets.into_iter().collect() };
    let mut builder = S3ServiceBuilder::new(local);
    builder.set_auth(SimpleAuth::from_single(key.access_key_id.as_str(), key.secret.as_str()));
    builder.set_access(access::LocalBucketsOnly);
    S3Endpoint::new(builder.build())
}
