//! Writing and removing objects.

use futures::StreamExt;
use http::HeaderMap;
use s3s::dto::{
    Checksum, CopyObjectInput, CopyObjectOutput, CopySource, DeleteObjectInput, DeleteObjectOutput,
    DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error, MetadataDirective, ObjectIdentifier,
    PutObjectInput, PutObjectOutput, StreamingBlob,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, TrailingHeaders, s3_error as refuse};

use super::LocalS3;
use super::access::check_bucket;
use super::attributes::attributes;
use super::error::s3_error;
use crate::local::{Condition, Content, Upload, Written};
use crate::protocol::{
    Expected, ReadConditions, copied_output, header_condition, put_output, write_condition,
};

/// Content as it comes in, and what is declared of it.
pub(super) struct Incoming {
    pub(super) body: Option<StreamingBlob>,
    pub(super) length: Option<i64>,
    pub(super) headers: HeaderMap,
    pub(super) trailers: Option<TrailingHeaders>,
}

impl LocalS3 {
    pub(super) async fn put(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let S3Request { input, headers, trailing_headers: trailers, .. } = request;
        let condition = write_condition(input.if_match, input.if_none_match)?;
        let attributes = attributes(&headers, input.content_type, input.metadata);
        let incoming = Incoming { body: input.body, length: input.content_length, headers, trailers };
        let upload = self.store.upload(&input.key).map_err(s3_error)?;
        let (written, checksum) = receive(upload, incoming).await?;
        let put = self.store.put(&input.bucket, &input.key, written, attributes, condition);
        let tag = put.await.map_err(s3_error)?;
        Ok(S3Response::new(put_output(&tag, checksum)))
    }

    pub(super) async fn copy(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let S3Request { input, headers, .. } = request;
        let source = self.source(&input.copy_source, &ReadConditions::from(&input)).await?;
        let replaces =
            input.metadata_directive.is_some_and(|said| said.as_str() == MetadataDirective::REPLACE);
        let attributes = if replaces {
            attributes(&headers, input.content_type, input.metadata)
        } else {
            source.object().attributes.clone()
        };
        let condition = write_condition(
            header_condition(&headers, "if-match")?,
            header_condition(&headers, "if-none-match")?,
        )?;
        let all = 0..source.object().size;
        let written = copied(self.store.upload(&input.key).map_err(s3_error)?, source, all).await?;
        let put = self.store.put(&input.bucket, &input.key, written, attributes, condition);
        let tag = put.await.map_err(s3_error)?;
        Ok(S3Response::new(copied_output(&tag, self.store.now())))
    }

    /// Opens what is to be copied.
    pub(super) async fn source(&self, source: &CopySource, conditions: &ReadConditions) -> S3Result<Content> {
        let CopySource::Bucket { bucket, key, version_id: None } = source else {
            return Err(refuse!(NotImplemented, "only the objects of buckets can be copied"));
        };
        check_bucket(bucket)?;
        let content = self.store.content(bucket, key).map_err(s3_error)?;
        match conditions.check(&content.object().etag, content.object().modified) {
            // What is known already cannot be left out of a copy.
            Err(_) => Err(refuse!(PreconditionFailed, "the source is another than the one asked for")),
            Ok(()) => Ok(content),
        }
    }

    pub(super) async fn delete(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        if input.if_match_size.is_some() || input.if_match_last_modified_time.is_some() {
            return Err(refuse!(NotImplemented, "a removal takes no other condition than If-Match"));
        }
        let condition = write_condition(input.if_match, None)?;
        self.store.delete(&input.bucket, &input.key, condition).await.map_err(s3_error)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    pub(super) async fn delete_many(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = request.input;
        let removals = input.delete.objects.into_iter().map(|object| self.remove(&input.bucket, object));
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for (key, outcome) in futures::future::join_all(removals).await {
            match outcome {
                Ok(()) => deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() }),
                Err(error) => errors.push(listed_error(key, &error)),
            }
        }
        let quiet = input.delete.quiet.unwrap_or(false);
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (!quiet).then_some(deleted),
            errors: Some(errors),
            ..DeleteObjectsOutput::default()
        }))
    }

    async fn remove(&self, bucket: &str, object: ObjectIdentifier) -> (String, S3Result<()>) {
        if object.version_id.is_some() || object.size.is_some() || object.last_modified_time.is_some() {
            return (
                object.key,
                Err(refuse!(NotImplemented, "a removal takes no other condition than a tag")),
            );
        }
        let condition = object.e_tag.map_or(Condition::None, |tag| Condition::Matches(tag.into_value()));
        let outcome = self.store.delete(bucket, &object.key, condition).await;
        (object.key, outcome.map_err(s3_error))
    }
}

fn broken_off() -> s3s::S3ErrorCode {
    s3s::S3ErrorCode::IncompleteBody
}

fn listed_error(key: String, error: &S3Error) -> Error {
    Error {
        key: Some(key),
        code: Some(error.code().as_str().to_owned()),
        message: error.message().map(str::to_owned),
        ..Error::default()
    }
}

/// Writes a part of an object as new content.
pub(super) async fn copied(
    mut upload: Upload,
    source: Content,
    range: std::ops::Range<u64>,
) -> S3Result<Written> {
    let mut chunks = std::pin::pin!(source.stream(range));
    while let Some(chunk) = chunks.next().await {
        upload.write(chunk.map_err(s3_error)?).await.map_err(s3_error)?;
    }
    upload.finish().await.map_err(s3_error)
}

/// Writes content to the disk, and holds it against what is declared of it.
pub(super) async fn receive(mut upload: Upload, incoming: Incoming) -> S3Result<(Written, Checksum)> {
    let mut expected = Expected::of(&incoming.headers, incoming.trailers);
    let mut length = 0;
    if let Some(mut body) = incoming.body {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| S3Error::with_source(broken_off(), error))?;
            length += chunk.len() as u64;
            expected.update(&chunk);
            upload.write(chunk).await.map_err(s3_error)?;
        }
    }
    if incoming.length.is_some_and(|declared| u64::try_from(declared) != Ok(length)) {
        return Err(refuse!(IncompleteBody, "{length} bytes came, which is not what was declared"));
    }
    let written = upload.finish().await.map_err(s3_error)?;
    let checksum = expected.check(&written.md5)?;
    Ok((written, checksum))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::LocalStore;
    use crate::testing::{Lossy, clock};

    async fn receive(chunks: Vec<std::io::Result<Bytes>>, length: i64) -> (Option<String>, usize) {
        let disk = Lossy::default();
        let store = LocalStore::open_in(Arc::new(disk.clone()), clock(), 0).unwrap();
        let local = LocalS3 { store, buckets: Vec::new() };
        let body = Some(StreamingBlob::wrap(futures::stream::iter(chunks)));
        let incoming = Incoming { body, length: Some(length), headers: HeaderMap::new(), trailers: None };
        let refused = super::receive(local.store.upload("key").unwrap(), incoming).await.err();
        local.store.settled().await;
        (refused.map(|error| error.code().as_str().to_owned()), disk.count_files())
    }

    #[tokio::test]
    async fn content_that_breaks_off_leaves_nothing() {
        let part = || Ok(Bytes::from(vec![0; 2_000_000]));
        let gone = || Err(std::io::Error::other("gone"));
        let incomplete = (Some("IncompleteBody".to_owned()), 0);
        assert_eq!(receive(vec![part(), gone()], 4_000_000).await, incomplete);
        assert_eq!(receive(vec![part()], 4_000_000).await, incomplete);
        assert_eq!(receive(vec![part(), part(), part()], 4_000_000).await, incomplete);
        assert_eq!(receive(vec![part(), part()], 4_000_000).await.0, None);
    }
}
