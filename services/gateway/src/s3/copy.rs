//! Copying objects, within a repository and across.

use braid_client::Client;
use braid_objects::protocol::{ReadConditions, copied_output};
use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopySource, MetadataDirective};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error as refuse};

use super::LakeS3;
use super::address::write_address;
use super::error::store_error;
use super::metadata;
use super::read::{Found, find};
use super::write::{Described, check_condition, condition_in, stage};

impl LakeS3 {
    pub(super) async fn copy(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let client = self.client(&request);
        let S3Request { input, headers, .. } = request;
        let at = write_address(&input.bucket, &input.key)?;
        let source = source(&client, &input.copy_source, &ReadConditions::from(&input)).await?;
        let replaces =
            input.metadata_directive.is_some_and(|said| said.as_str() == MetadataDirective::REPLACE);
        let condition = condition_in(&headers)?;
        let entry = &source.object.entry;
        let described = if replaces {
            let content_type = input.content_type.unwrap_or_default();
            Described { content_type, metadata: metadata::kept(input.metadata)?, condition }
        } else {
            let (content_type, metadata) = (entry.content_type.clone(), entry.metadata.clone());
            Described { content_type, metadata, condition }
        };
        check_condition(&client, &at, &described.condition).await?;
        let fresh = self.fresh(&client, &at, &described.content_type).await?;
        let typed = Some(described.content_type.clone()).filter(|content_type| !content_type.is_empty());
        let copied = self.stored(&source)?.copy(&fresh.place, typed).await;
        let copied = copied.map_err(|error| store_error(&error, &source.key))?;
        stage(client, at, fresh, described, entry.size, copied.etag.clone()).await?;
        Ok(S3Response::new(copied_output(&copied.etag, self.shared.parts.clock.now().seconds)))
    }
}

/// The object to be copied.
pub(super) async fn source(
    client: &Client,
    source: &CopySource,
    conditions: &ReadConditions,
) -> S3Result<Found> {
    let CopySource::Bucket { bucket, key, version_id: None } = source else {
        return Err(refuse!(NotImplemented, "only objects of repositories can be copied, without versions"));
    };
    let found = find(client, bucket, key).await?;
    let other = |_: S3Error| refuse!(PreconditionFailed, "the source is another than the one asked for");
    // What is known already cannot be left out of a copy.
    found.check(conditions).map_err(other)?;
    Ok(found)
}
