//! Parts of uploads: writing, copying, listing.

use braid_client::{Client, ListParts, MultipartUpload, Part as Found};
use braid_objects::protocol::{ReadConditions, etag, page_limit, part_number, timestamp};
use braid_objects::{ByteRange, PartPlace, PutResult};
use s3s::dto::{
    CopyPartResult, ListPartsInput, ListPartsOutput, Part, Range, UploadPartCopyInput, UploadPartCopyOutput,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LakeS3;
use super::copy::source;
use super::error::{s3_error, store_error, write_error};
use super::incoming::{Incoming, Received};
use super::multipart::upload_address;
use super::read::{Found as Source, signed};
use crate::data::Place;

impl LakeS3 {
    pub(super) async fn put_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let client = self.client(&request);
        let S3Request { input, headers, trailing_headers: trailers, .. } = request;
        let number = part_number(input.part_number)?;
        let incoming = Incoming::new(input.body, input.content_length, headers, trailers);
        if !incoming.has_length() {
            return Err(refuse!(MissingContentLength, "the length of a part must be declared"));
        }
        let place = self.upload_place(&client, &input.bucket, &input.key, &input.upload_id).await?;
        let (content, outcome) = incoming.into_source()?;
        let part = PartPlace { key: &place.key, upload: &input.upload_id, number };
        let put = place.store.put_part(part, content).await;
        let put = put.map_err(|error| outcome.or(store_error(&error, &input.key)))?;
        let Received { checksum, .. } = outcome.received()?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(etag(&put.etag)),
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
        let client = self.client(&request);
        let input = request.input;
        let number = part_number(input.part_number)?;
        let conditions = ReadConditions {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        let source = source(&client, &input.copy_source, &conditions).await?;
        let range = input.copy_source_range.as_deref().map(Range::parse).transpose();
        let range = range.map_err(|error| refuse!(InvalidArgument, "x-amz-copy-source-range: {error}"))?;
        let range = source.range(range)?;
        let to = self.upload_place(&client, &input.bucket, &input.key, &input.upload_id).await?;
        let part = PartPlace { key: &to.key, upload: &input.upload_id, number };
        let put = self.copied_part(&source, range, &to, part, &input.key).await?;
        let result = CopyPartResult {
            e_tag: Some(etag(&put.etag)),
            last_modified: Some(timestamp(self.shared.parts.clock.now().seconds)),
            ..CopyPartResult::default()
        };
        let output =
            UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() };
        Ok(S3Response::new(output))
    }

    /// Copies data into a part: by the object store itself, where both places are its own.
    async fn copied_part(
        &self,
        source: &Source,
        range: Option<std::ops::Range<u64>>,
        to: &Place,
        part: PartPlace<'_>,
        key: &str,
    ) -> S3Result<PutResult> {
        let from = self.place_of(source)?;
        let put = if from.is_beside(to) && source.object.entry.size > 0 {
            to.store.copy_part(part, &from.key, range.map(ByteRange::from)).await
        } else {
            to.store.put_part(part, self.content(source, range).await?).await
        };
        put.map_err(|error| store_error(&error, key))
    }

    pub(super) async fn list_parts_of(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let client = self.client(&request);
        let input = request.input;
        let limit = page_limit(input.max_parts)?;
        let marker = input.part_number_marker.unwrap_or(0);
        let after = u32::try_from(marker)
            .map_err(|_| refuse!(InvalidArgument, "part-number-marker is a number of a part"))?;
        let upload = upload_address(&input.bucket, &input.key, &input.upload_id)?;
        let list = ListParts { upload, after, page_size: u32::try_from(limit).ok() };
        let found = client.list_parts(list).await.map_err(|error| s3_error(&error))?;
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            is_truncated: Some(found.more),
            max_parts: i32::try_from(limit).ok(),
            part_number_marker: Some(marker),
            next_part_number_marker: found.parts.last().and_then(|last| i32::try_from(last.number).ok()),
            parts: Some(found.parts.iter().map(listed).collect::<S3Result<_>>()?),
            ..ListPartsOutput::default()
        }))
    }

    /// Where the data of an upload goes.
    async fn upload_place(&self, client: &Client, bucket: &str, key: &str, id: &str) -> S3Result<Place> {
        let upload = client.get_multipart_upload(upload_address(bucket, key, id)?).await;
        let MultipartUpload { physical_address, .. } = upload.map_err(|error| write_error(&error))?;
        Place::at(&*self.shared.parts.stores, &physical_address).map_err(|error| s3_error(&error))
    }
}

fn listed(part: &Found) -> S3Result<Part> {
    Ok(Part {
        part_number: i32::try_from(part.number).ok(),
        size: Some(signed(part.size)?),
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(timestamp(part.uploaded_at.seconds)),
        ..Part::default()
    })
}
