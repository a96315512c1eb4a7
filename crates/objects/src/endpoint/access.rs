//! Who may do what: whoever has the key, in buckets of the local store.

use s3s::access::{S3Access, S3AccessContext};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};

use crate::is_local_bucket;

/// Refuses requests without a signature, and other buckets than the local store's.
pub(super) struct LocalBucketsOnly;

#[async_trait::async_trait]
impl S3Access for LocalBucketsOnly {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        if request.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "requests must be signed"));
        }
        match request.s3_path() {
            S3Path::Bucket { bucket } | S3Path::Object { bucket, .. } => check_bucket(bucket),
            S3Path::Root => Ok(()),
        }
    }
}

/// Refuses a bucket that is not the local store's.
pub(super) fn check_bucket(bucket: &str) -> S3Result<()> {
    if is_local_bucket(bucket) {
        return Ok(());
    }
    Err(s3_error!(NoSuchBucket, "no bucket \"{bucket}\": the names of buckets here hold a dot"))
}
