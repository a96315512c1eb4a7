//! Multipart uploads.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CopyPartResult, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part, Range, UploadPartCopyInput, UploadPartCopyOutput,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LocalS3;
use super::attributes::attributes;
use super::error::s3_error;
use super::object::{byte_range, signed};
use super::write::{Incoming, copied, receive};
use crate::local::{PartInfo, UploadInfo};
use crate::protocol::{Names, ReadConditions, etag, page_limit, part_number, timestamp, write_condition};

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
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(etag(&tag)),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            ..UploadPartOutput::default()
        }))
    }

    pub(super) async fn copy_part(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = request.input;
        let number = part_number(input.part_number)?;
        let conditions = ReadConditions {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        let source = self.source(&input.copy_source, &conditions).await?;
        let range = input.copy_source_range.as_deref().map(Range::parse).transpose();
        let range = range.map_err(|error| refuse!(InvalidArgument, "x-amz-copy-source-range: {error}"))?;
        let range = source.resolve(range.map(byte_range)).map_err(s3_error)?;
        let upload = self.store.upload_part(&input.key).map_err(s3_error)?;
        let written = copied(upload, source, range).await?;
        let put = self.store.put_part(&input.bucket, &input.key, &input.upload_id, number, written);
        let tag = put.await.map_err(s3_error)?;
        let result = CopyPartResult {
            e_tag: Some(etag(&tag)),
            last_modified: Some(timestamp(self.store.now())),
            ..CopyPartResult::default()
        };
        let output =
            UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() };
        Ok(S3Response::new(output))
    }

    pub(super) async fn complete_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let condition = write_condition(input.if_match, input.if_none_match)?;
        let asked = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let parts = asked.into_iter().map(asked_part).collect::<S3Result<Vec<_>>>()?;
        if parts.is_empty() {
            return Err(refuse!(MalformedXML, "an object is made of one part at least"));
        }
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
        let limit = page_limit(input.max_parts)?;
        let after = u16::try_from(input.part_number_marker.unwrap_or(0))
            .map_err(|_| refuse!(InvalidArgument, "part-number-marker is a number of a part"))?;
        let parts = self.store.parts(&input.bucket, &input.key, &input.upload_id, after, limit + 1);
        let mut parts = parts.await.map_err(s3_error)?;
        let more = parts.len() > limit;
        parts.truncate(limit);
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            is_truncated: Some(more),
            max_parts: Some(i32::try_from(limit).expect("a page is small")),
            part_number_marker: Some(i32::from(after)),
            next_part_number_marker: parts.last().map(|last| i32::from(last.number)),
            parts: Some(parts.iter().map(listed_part).collect()),
            ..ListPartsOutput::default()
        }))
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
        let prefix = input.prefix.unwrap_or_default();
        let after = upload_marker(input.key_marker.as_deref(), input.upload_id_marker.as_deref());
        let mut uploads =
            self.store.uploads(&input.bucket, &prefix, after, limit + 1).await.map_err(s3_error)?;
        let more = uploads.len() > limit;
        uploads.truncate(limit);
        let last = uploads.last().filter(|_| more);
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: Some(names.write(prefix)),
            encoding_type: input.encoding_type,
            key_marker: input.key_marker.map(|marker| names.write(marker)),
            upload_id_marker: input.upload_id_marker,
            is_truncated: Some(more),
            max_uploads: Some(i32::try_from(limit).expect("a page is small")),
            next_key_marker: last.map(|last| names.write(last.key.clone())),
            next_upload_id_marker: last.map(|last| last.upload.clone()),
            uploads: Some(uploads.into_iter().map(|upload| listed_upload(upload, names)).collect()),
            ..ListMultipartUploadsOutput::default()
        }))
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

fn asked_part(part: CompletedPart) -> S3Result<(u16, String)> {
    let number = part_number(part.part_number.unwrap_or_default())?;
    let tag = part.e_tag.ok_or_else(|| refuse!(MalformedXML, "part {number} is named without its etag"))?;
    Ok((number, tag.into_value()))
}

fn listed_part(part: &PartInfo) -> Part {
    Part {
        part_number: Some(i32::from(part.number)),
        size: Some(signed(part.size)),
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(timestamp(part.modified)),
        ..Part::default()
    }
}

fn listed_upload(upload: UploadInfo, names: Names) -> MultipartUpload {
    MultipartUpload {
        key: Some(names.write(upload.key)),
        upload_id: Some(upload.upload),
        initiated: Some(timestamp(upload.started)),
        ..MultipartUpload::default()
    }
}
