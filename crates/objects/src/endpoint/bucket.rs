//! Buckets: each is there as soon as it is named.

use std::collections::BTreeSet;

use s3s::dto::{
    Bucket, CreateBucketInput, CreateBucketOutput, GetBucketLocationInput, GetBucketLocationOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput,
};
use s3s::{S3Request, S3Response, S3Result};

use super::LocalS3;
use super::error::s3_error;
use crate::protocol::timestamp;

impl LocalS3 {
    pub(super) async fn all_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let prefix = request.input.prefix.unwrap_or_default();
        let used = self.store.buckets().await.map_err(s3_error)?;
        let names: BTreeSet<String> = used.into_iter().chain(self.buckets.iter().cloned()).collect();
        let names = names.into_iter().filter(|name| name.starts_with(&prefix));
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(names.map(listed).collect()),
            ..ListBucketsOutput::default()
        }))
    }

    pub(super) async fn new_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let location = Some(format!("/{}", request.input.bucket));
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    pub(super) async fn bucket_head(
        &self,
        _: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    pub(super) async fn bucket_location(
        &self,
        _: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    pub(super) async fn bucket_versioning(
        &self,
        _: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        Ok(S3Response::new(GetBucketVersioningOutput::default()))
    }
}

fn listed(name: String) -> Bucket {
    // Nobody made it, so it was always there.
    Bucket { name: Some(name), creation_date: Some(timestamp(0)), ..Bucket::default() }
}
