//! Buckets: the repositories.

use braid_objects::protocol::timestamp;
use braid_types::{Code, RepositoryName};
use futures::TryStreamExt;
use s3s::dto::{
    Bucket, CreateBucketInput, CreateBucketOutput, GetBucketLocationInput, GetBucketLocationOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LakeS3;
use super::address::repository;
use super::error::s3_error;

impl LakeS3 {
    pub(super) async fn all_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let client = self.client(&request);
        let prefix = request.input.prefix;
        let found = client.repositories(prefix.as_deref().unwrap_or_default()).try_collect::<Vec<_>>().await;
        let bucket = |found: braid_client::Repository| Bucket {
            name: Some(found.name.to_string()),
            creation_date: Some(timestamp(found.created_at.seconds)),
            ..Bucket::default()
        };
        let buckets = found.map_err(|error| s3_error(&error))?.into_iter().map(bucket).collect();
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(buckets),
            prefix,
            ..ListBucketsOutput::default()
        }))
    }

    pub(super) async fn bucket_head(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.check_bucket(&request, &request.input.bucket).await?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    /// Repositories are in no region, which S3 says of those in its first one.
    pub(super) async fn bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.check_bucket(&request, &request.input.bucket).await?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    /// Versions are commits, of which S3 has no word.
    pub(super) async fn bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        self.check_bucket(&request, &request.input.bucket).await?;
        Ok(S3Response::new(GetBucketVersioningOutput::default()))
    }

    /// Repositories are made by other means: S3 has no word for what they need.
    pub(super) async fn new_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let name = request.input.bucket.clone();
        let client = self.client(&request);
        let found = match RepositoryName::new(name.as_str()) {
            Ok(repository) => client.get_repository(&repository).await,
            Err(_) => return Err(refuse!(InvalidBucketName, "a repository cannot be called \"{name}\"")),
        };
        match found {
            Ok(_) => Err(refuse!(BucketAlreadyExists, "repository \"{name}\" exists already")),
            Err(error) if error.code() == Code::RepositoryNotFound => {
                Err(refuse!(NotImplemented, "repositories are not made by this protocol"))
            }
            Err(error) => Err(s3_error(&error)),
        }
    }

    async fn check_bucket<T>(&self, request: &S3Request<T>, bucket: &str) -> S3Result<()> {
        let repository = repository(bucket)?;
        let found = self.client(request).get_repository(&repository).await;
        found.map(drop).map_err(|error| s3_error(&error))
    }
}
