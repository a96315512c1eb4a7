//! Parts of uploads: writing, copying, listing.

use braid_client::{Client, ListParts, MultipartUpload, Part as Found};
use braid_objects::PartPlace;
use braid_objects::protocol::{
    ReadConditions, copied_part_output, copied_range, listed_part, page_limit, part_marker, part_number,
    part_output, parts_output,
};
use s3s::dto::{
    ListPartsInput, ListPartsOutput, Part, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LakeS3;
use super::copy::source;
use super::error::{s3_error, store_error, write_error};
use super::incoming::{Incoming, Received};
use super::multipart::upload_address;
use super::read::signed;
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
        Ok(S3Response::new(part_output(&put.etag, checksum)))
    }

    pub(super) async fn copy_part(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let client = self.client(&request);
        let input = request.input;
        let number = part_number(input.part_number)?;
        let source = source(&client, &input.copy_source, &ReadConditions::from(&input)).await?;
        let range = copied_range(input.copy_source_range.as_deref(), source.object.entry.size)?;
        let to = self.upload_place(&client, &input.bucket, &input.key, &input.upload_id).await?;
        let part = PartPlace { key: &to.key, upload: &input.upload_id, number };
        let put = self.stored(&source)?.copy_to_part(range, &to, part).await;
        let put = put.map_err(|error| store_error(&error, &input.key))?;
        Ok(S3Response::new(copied_part_output(&put.etag, self.shared.parts.clock.now().seconds)))
    }

    pub(super) async fn list_parts_of(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let client = self.client(&request);
        let input = request.input;
        let (limit, after) = (page_limit(input.max_parts)?, part_marker(&input)?);
        let upload = upload_address(&input.bucket, &input.key, &input.upload_id)?;
        let list = ListParts { upload, after: after.into(), page_size: u32::try_from(limit).ok() };
        let found = client.list_parts(list).await.map_err(|error| s3_error(&error))?;
        let parts = found.parts.iter().map(listed).collect::<S3Result<_>>()?;
        Ok(S3Response::new(parts_output(input, parts, found.more)?))
    }

    /// Where the data of an upload goes.
    async fn upload_place(&self, client: &Client, bucket: &str, key: &str, id: &str) -> S3Result<Place> {
        let upload = client.get_multipart_upload(upload_address(bucket, key, id)?).await;
        let MultipartUpload { physical_address, .. } = upload.map_err(|error| write_error(&error))?;
        Place::at(&*self.shared.parts.stores, &physical_address).map_err(|error| s3_error(&error))
    }
}

fn listed(part: &Found) -> S3Result<Part> {
    let number = i32::try_from(part.number).unwrap_or_default();
    Ok(listed_part(number, signed(part.size)?, &part.etag, part.uploaded_at.seconds))
}
