//! Reading objects.

use s3s::dto::{GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, Range, StreamingBlob};
use s3s::{S3Request, S3Response, S3Result};

use super::LocalS3;
use super::attributes::{kept_headers, metadata};
use super::error::s3_error;
use crate::ObjectError;
use crate::local::StoredObject;
use crate::protocol::{ReadConditions, byte_range, content_range, etag, timestamp};

impl LocalS3 {
    pub(super) async fn get(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let content = self.store.content(&input.bucket, &input.key).map_err(s3_error)?;
        let conditions = ReadConditions::from(&input);
        conditions.check(&content.object().etag, content.object().modified)?;
        let range = content.resolve(input.range.map(byte_range)).map_err(s3_error)?;
        let object = content.object().clone();
        let length = range.end - range.start;
        let output = GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(signed(length)),
            content_range: input.range.map(|_| content_range(&range, object.size)),
            content_type: object.attributes.content_type.clone(),
            e_tag: Some(etag(&object.etag)),
            last_modified: Some(timestamp(object.modified)),
            metadata: metadata(&object.attributes),
            body: Some(StreamingBlob::wrap(content.stream(range))),
            ..GetObjectOutput::default()
        };
        Ok(S3Response::with_headers(output, kept_headers(&object.attributes, request.uri.query())))
    }

    pub(super) async fn head(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let object = self.store.object(&input.bucket, &input.key).map_err(s3_error)?;
        let conditions = ReadConditions::from(&input);
        conditions.check(&object.etag, object.modified)?;
        let range = range_of(&object, &input.key, input.range)?;
        let length = range.as_ref().map_or(object.size, |range| range.end - range.start);
        let output = HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(signed(length)),
            content_range: range.map(|range| content_range(&range, object.size)),
            content_type: object.attributes.content_type.clone(),
            e_tag: Some(etag(&object.etag)),
            last_modified: Some(timestamp(object.modified)),
            metadata: metadata(&object.attributes),
            ..HeadObjectOutput::default()
        };
        Ok(S3Response::with_headers(output, kept_headers(&object.attributes, request.uri.query())))
    }
}

fn range_of(
    object: &StoredObject,
    key: &str,
    range: Option<Range>,
) -> S3Result<Option<std::ops::Range<u64>>> {
    let Some(range) = range else { return Ok(None) };
    let within = byte_range(range).within(object.size);
    within.map(Some).ok_or_else(|| s3_error(ObjectError::InvalidRange { key: key.to_owned() }))
}

/// A length as the protocol library has it.
pub(super) fn signed(length: u64) -> i64 {
    i64::try_from(length).expect("no disk holds so much")
}
