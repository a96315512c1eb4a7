//! Copying objects, within a repository and across.

use braid_client::Client;
use braid_objects::protocol::{ReadConditions, etag, timestamp};
use braid_objects::{ObjectError, PutResult, Source};
use futures::TryStreamExt;
use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, MetadataDirective};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error as refuse};

use super::LakeS3;
use super::address::write_address;
use super::error::store_error;
use super::metadata;
use super::read::{Found, find};
use super::write::{Described, Fresh, check_condition, condition_in, stage};

/// The largest object that S3 copies by one request, in bytes.
const MOST_IN_ONE_COPY: u64 = 5 << 30;

impl LakeS3 {
    pub(super) async fn copy(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let client = self.client(&request);
        let S3Request { input, headers, .. } = request;
        let at = write_address(&input.bucket, &input.key)?;
        let conditions = ReadConditions {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        let source = source(&client, &input.copy_source, &conditions).await?;
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
        let copied = self.copied(&source, &fresh, &described.content_type).await?;
        stage(client, at, fresh, described, entry.size, copied.etag.clone()).await?;
        let result = CopyObjectResult {
            e_tag: Some(etag(&copied.etag)),
            last_modified: Some(timestamp(self.shared.parts.clock.now().seconds)),
            ..CopyObjectResult::default()
        };
        let output = CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() };
        Ok(S3Response::new(output))
    }

    /// Copies data to a fresh place: by the object store itself, where both places are its own.
    async fn copied(&self, source: &Found, to: &Fresh, content_type: &str) -> S3Result<PutResult> {
        let from = self.place_of(source)?;
        let size = source.object.entry.size;
        let key = &to.place.key;
        if from.is_beside(&to.place) && size <= MOST_IN_ONE_COPY {
            let copied = to.place.store.copy(&from.key, key).await;
            return copied.map_err(|error| store_error(&error, &source.key));
        }
        let content = self.content(source, None).await?;
        let typed = Some(content_type.to_owned()).filter(|content_type| !content_type.is_empty());
        let written = to.place.store.write(key, content, typed).await;
        written.map_err(|error| store_error(&error, &source.key))
    }

    /// The data of an object, or of a range of it, to be written elsewhere.
    pub(super) async fn content(
        &self,
        source: &Found,
        range: Option<std::ops::Range<u64>>,
    ) -> S3Result<Source> {
        let length = range.as_ref().map_or(source.object.entry.size, |range| range.end - range.start);
        let body = self.body(source, range).await?;
        let broken = |error: ObjectError| std::io::Error::other(error.to_string());
        Ok(Source::new(body.map_err(broken), Some(length)))
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
