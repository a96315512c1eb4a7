//! Reading objects.

use braid_client::{Client, Object};
use braid_objects::protocol::{ReadConditions, byte_range, content_range, etag, timestamp};
use braid_objects::{ByteStream, ObjectError};
use s3s::dto::{GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, Range, StreamingBlob};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LakeS3;
use super::address::read_address;
use super::error::{s3_error, store_error};
use super::metadata;
use crate::stored::Stored;

/// The media type of objects that have none.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// An object that was found.
pub(super) struct Found {
    pub(super) object: Object,
    pub(super) key: String,
}

impl LakeS3 {
    pub(super) async fn get(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let client = self.client(&request);
        let input = request.input;
        let found = find(&client, &input.bucket, &input.key).await?;
        found.check(&ReadConditions::from(&input))?;
        let range = found.range(input.range)?;
        let body = self.body(&found, range.clone()).await?;
        let entry = &found.object.entry;
        let output = GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(length(range.as_ref(), entry.size)?),
            content_range: range.map(|range| content_range(&range, entry.size)),
            content_type: Some(found.content_type()),
            e_tag: Some(etag(&entry.checksum)),
            last_modified: Some(timestamp(entry.mtime.seconds)),
            metadata: metadata::answered(&entry.metadata),
            body: Some(StreamingBlob::wrap(body)),
            ..GetObjectOutput::default()
        };
        Ok(S3Response::new(output))
    }

    pub(super) async fn head(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let client = self.client(&request);
        let input = request.input;
        let found = find(&client, &input.bucket, &input.key).await?;
        found.check(&ReadConditions::from(&input))?;
        let range = found.range(input.range)?;
        let entry = &found.object.entry;
        let output = HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(length(range.as_ref(), entry.size)?),
            content_range: range.map(|range| content_range(&range, entry.size)),
            content_type: Some(found.content_type()),
            e_tag: Some(etag(&entry.checksum)),
            last_modified: Some(timestamp(entry.mtime.seconds)),
            metadata: metadata::answered(&entry.metadata),
            ..HeadObjectOutput::default()
        };
        Ok(S3Response::new(output))
    }

    /// The data of an object, or of a range of it, as it comes from the object store.
    async fn body(
        &self,
        found: &Found,
        range: Option<std::ops::Range<u64>>,
    ) -> S3Result<ByteStream<ObjectError>> {
        let body = self.stored(found)?.read(range).await;
        body.map_err(|error| store_error(&error, &found.key))
    }

    /// The data of an object.
    pub(super) fn stored(&self, found: &Found) -> S3Result<Stored> {
        Stored::of(&*self.shared.parts.stores, &found.object).map_err(|error| s3_error(&error))
    }
}

/// The object that a key names.
pub(super) async fn find(client: &Client, bucket: &str, key: &str) -> S3Result<Found> {
    let at = read_address(bucket, key)?;
    let object = client.stat_object(&at.repository, &at.reference, &at.path).await;
    Ok(Found { object: object.map_err(|error| s3_error(&error))?, key: key.to_owned() })
}

impl Found {
    pub(super) fn check(&self, conditions: &ReadConditions) -> S3Result<()> {
        conditions.check(&self.object.entry.checksum, self.object.entry.mtime.seconds)
    }

    pub(super) fn range(&self, range: Option<Range>) -> S3Result<Option<std::ops::Range<u64>>> {
        let Some(range) = range else { return Ok(None) };
        let within = byte_range(range).within(self.object.entry.size);
        let invalid = || ObjectError::InvalidRange { key: self.key.clone() };
        within.map(Some).ok_or_else(|| store_error(&invalid(), &self.key))
    }

    fn content_type(&self) -> String {
        let known = Some(&self.object.entry.content_type).filter(|content_type| !content_type.is_empty());
        known.map_or_else(|| UNKNOWN_TYPE.to_owned(), Clone::clone)
    }
}

fn length(range: Option<&std::ops::Range<u64>>, size: u64) -> S3Result<i64> {
    signed(range.map_or(size, |range| range.end - range.start))
}

/// A length as the protocol library has it.
pub(super) fn signed(length: u64) -> S3Result<i64> {
    i64::try_from(length).map_err(|_| refuse!(InternalError, "{length} bytes are more than can be"))
}
