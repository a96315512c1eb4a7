//! Multipart uploads.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, Part,
    UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LocalS3;
use super::attributes::attributes;
use super::error::s3_error;
use super::object::signed;
use super::write::{Incoming, copied, receive};
use crate::local::{PartInfo, UploadInfo};
use crate::protocol::{
    Names, ReadConditions, asked_parts, copied_part_output, copied_range, etag, listed_part, listed_upload,
    page_limit, part_marker, part_number, part_output, parts_output, uploads_output, write_condition,
};

impl LocalS3 {
    pub(super) async fn start_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let S3Request { input, headers, .. } = request;
        let attributes = attributes(&headers, input.content_type, input.metadata);
        let upload =
            self.store.start_upload(&input.bucket, &input.key, attributes).await.map_err(s3_error)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    pub(super) async fn put_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let S3Request { input, headers, trailing_headers: trailers, .. } = request;
        let number = part_number(input.part_number)?;
        let incoming = Incoming { body: input.body, length: input.content_length, headers, trailers };
        let upload = self.store.upload_part(&input.key).map_err(s3_error)?;
        let (written, checksum) = receive(upload, incoming).await?;
        let put = self.store.put_part(&input.bucket, &input.key, &input.upload_id, number, written);
        let tag = put.await.map_err(s3_error)?;
        Ok(S3Response::new(part_output(&tag, checksum)))
    }

    pub(super) async fn copy_part(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = request.input;
        let number = part_number(input.part_number)?;
        let source = self.source(&input.copy_source, &ReadConditions::from(&input)).await?;
        let size = source.object().size;
        let range = copied_range(input.copy_source_range.as_deref(), size)?.unwrap_or(0..size);
        let upload = self.store.upload_part(&input.key).map_err(s3_error)?;
        let written = copied(upload, source, range).await?;
        let put = self.store.put_part(&input.bucket, &input.key, &input.upload_id, number, written);
        let tag = put.await.map_err(s3_error)?;
        Ok(S3Response::new(copied_part_output(&tag, self.store.now())))
    }

    pub(super) async fn complete_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let condition = write_condition(input.if_match, input.if_none_match)?;
        let parts = asked_parts(input.multipart_upload)?;
        let complete =
            self.store.complete_upload(&input.bucket, &input.key, &input.upload_id, parts, condition);
        let tag = complete.await.map_err(s3_error)?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(etag(&tag)),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    pub(super) async fn abort_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        self.store.abort_upload(&input.bucket, &input.key, &input.upload_id).await.map_err(s3_error)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    pub(super) async fn list_parts_of(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let (limit, after) = (page_limit(input.max_parts)?, part_marker(&input)?);
        let parts = self.store.parts(&input.bucket, &input.key, &input.upload_id, after, limit + 1);
        let mut parts = parts.await.map_err(s3_error)?;
        let more = parts.len() > limit;
        parts.truncate(limit);
        Ok(S3Response::new(parts_output(input, parts.iter().map(listed).collect(), more)?))
    }

    pub(super) async fn list_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        if input.delimiter.is_some() {
            return Err(refuse!(NotImplemented, "uploads are listed without a delimiter"));
        }
        let names = Names::asked(input.encoding_type.as_ref())?;
        let limit = page_limit(input.max_uploads)?;
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let after = upload_marker(input.key_marker.as_deref(), input.upload_id_marker.as_deref());
        let found = self.store.uploads(&input.bucket, prefix, after, limit + 1).await;
        let mut uploads = found.map_err(s3_error)?;
        let more = uploads.len() > limit;
        uploads.truncate(limit);
        let last = uploads.last().filter(|_| more).map(|last| (last.key.clone(), last.upload.clone()));
        let uploads = uploads
            .into_iter()
            .map(|UploadInfo { key, upload, started, .. }| listed_upload(names.write(key), upload, started));
        let uploads = uploads.collect();
        Ok(S3Response::new(uploads_output(input, names, uploads, last)?))
    }
}

/// Where a listing of uploads goes on; a key alone stands for all uploads to it.
fn upload_marker(key: Option<&str>, upload: Option<&str>) -> Option<(String, String)> {
    let key = key.filter(|key| !key.is_empty())?;
    Some(match upload {
        Some(upload) => (key.to_owned(), upload.to_owned()),
        None => (format!("{key}\0"), String::new()),
    })
}

fn listed(part: &PartInfo) -> Part {
    listed_part(part.number.into(), signed(part.size), &part.etag, part.modified)
}
