//! Removing objects.

use std::collections::BTreeMap;

use braid_client::Client;
use braid_objects::protocol::{WriteCondition, write_condition};
use braid_types::{BranchName, Error, ObjectPath, RepositoryName};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    Error as Failed, ObjectIdentifier,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error as refuse};

use super::LakeS3;
use super::address::{WriteAddress, write_address};
use super::error::write_error;
use super::write::{check_condition, condition_of};

/// The most objects that one request removes, as in S3.
const MOST: usize = 1000;

/// What is to be removed of one branch, with the keys as they were given.
type OfBranch = BTreeMap<(RepositoryName, BranchName), Vec<(String, ObjectPath)>>;

impl LakeS3 {
    pub(super) async fn delete(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let client = self.client(&request);
        let input = request.input;
        if input.if_match_size.is_some() || input.if_match_last_modified_time.is_some() {
            return Err(refuse!(NotImplemented, "a removal takes no other condition than If-Match"));
        }
        let at = write_address(&input.bucket, &input.key)?;
        let condition = write_condition(input.if_match, None)?;
        remove(&client, &at, condition).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    pub(super) async fn delete_many(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let client = self.client(&request);
        let input = request.input;
        let objects = input.delete.objects;
        if objects.is_empty() || objects.len() > MOST {
            return Err(refuse!(
                MalformedXML,
                "1 to {MOST} objects are removed at once, not {}",
                objects.len()
            ));
        }
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        let mut plain = OfBranch::new();
        for object in objects {
            let key = object.key.clone();
            match self.sort(&client, &input.bucket, object, &mut plain).await {
                Ok(true) => deleted.push(key),
                Ok(false) => {}
                Err(error) => errors.push(listed_error(key, &error)),
            }
        }
        for ((repository, branch), named) in plain {
            let (keys, paths): (Vec<_>, Vec<_>) = named.into_iter().unzip();
            match client.delete_objects(&repository, &branch, paths).await {
                Ok(_) => deleted.extend(keys),
                Err(error) => {
                    errors.extend(keys.into_iter().map(|key| listed_error(key, &write_error(&error))));
                }
            }
        }
        let quiet = input.delete.quiet.unwrap_or(false);
        let done = |key| DeletedObject { key: Some(key), ..DeletedObject::default() };
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (!quiet).then(|| deleted.into_iter().map(done).collect()),
            errors: Some(errors),
            ..DeleteObjectsOutput::default()
        }))
    }

    /// Removes an object that comes with a condition; puts any other to those of its branch. Says whether it was removed.
    async fn sort(
        &self,
        client: &Client,
        bucket: &str,
        object: ObjectIdentifier,
        plain: &mut OfBranch,
    ) -> S3Result<bool> {
        if object.version_id.is_some() || object.size.is_some() || object.last_modified_time.is_some() {
            return Err(refuse!(NotImplemented, "a removal takes no other condition than a tag"));
        }
        let at = write_address(bucket, &object.key)?;
        if let Some(tag) = object.e_tag {
            remove(client, &at, WriteCondition::Matches(tag.into_value())).await?;
            return Ok(true);
        }
        plain.entry((at.repository, at.branch)).or_default().push((object.key, at.path));
        Ok(false)
    }
}

async fn remove(client: &Client, at: &WriteAddress, condition: WriteCondition) -> S3Result<()> {
    check_condition(client, at, &condition).await?;
    let removed: Result<(), Error> = match condition_of(client, at, condition).await {
        Ok((_, None)) => client.delete_object(&at.repository, &at.branch, &at.path).await.map(drop),
        Ok((_, Some(etag))) => {
            client.delete_object_if_etag(&at.repository, &at.branch, &at.path, &etag).await
        }
        Err(error) => Err(error),
    };
    removed.map_err(|error| write_error(&error))
}

fn listed_error(key: String, error: &S3Error) -> Failed {
    Failed {
        key: Some(key),
        code: Some(error.code().as_str().to_owned()),
        message: error.message().map(str::to_owned),
        ..Failed::default()
    }
}
