//! Uploads in parts: beginning, completing, giving up.

use braid_client::{CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, UploadAddress};
use braid_objects::protocol::{asked_parts, etag, write_condition};
use braid_types::{IdentityHasher, RequestId};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LakeS3;
use super::address::write_address;
use super::error::write_error;
use super::metadata;
use super::write::condition_of;

impl LakeS3 {
    pub(super) async fn start_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let client = self.client(&request);
        let input = request.input;
        let at = write_address(&input.bucket, &input.key)?;
        let create = CreateMultipartUpload {
            repository: at.repository,
            branch: at.branch,
            path: at.path,
            content_type: input.content_type.unwrap_or_default(),
            metadata: metadata::kept(input.metadata)?,
        };
        let upload = client.create_multipart_upload(create).await.map_err(|error| write_error(&error))?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload.upload_id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    pub(super) async fn complete_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let client = self.client(&request);
        let input = request.input;
        let at = write_address(&input.bucket, &input.key)?;
        let condition = write_condition(input.if_match, input.if_none_match)?;
        let asked = asked_parts(input.multipart_upload)?;
        let parts = asked.into_iter().map(|(number, etag)| CompletedPart { number: number.into(), etag });
        let (if_absent, if_etag) =
            condition_of(&client, &at, condition).await.map_err(|error| write_error(&error))?;
        let id = completion_id(&input.upload_id);
        let complete = CompleteMultipartUpload {
            upload: upload_address(&input.bucket, &input.key, &input.upload_id)?,
            parts: parts.collect(),
            content_type: None,
            metadata: std::collections::BTreeMap::new(),
            if_absent,
            if_etag,
            if_generation: None,
        };
        // What was asked for whole is done whole, also if the caller goes away.
        let completing =
            tokio::spawn(async move { client.complete_multipart_upload_as(&id, complete).await });
        let ended = completing.await.map_err(|_| refuse!(InternalError, "the upload was not completed"))?;
        let object = ended.map_err(|error| write_error(&error))?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(etag(&object.entry.checksum)),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    pub(super) async fn abort_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let client = self.client(&request);
        let input = request.input;
        let upload = upload_address(&input.bucket, &input.key, &input.upload_id)?;
        client.abort_multipart_upload(upload).await.map_err(|error| write_error(&error))?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

/// The upload that a key and an id name.
pub(super) fn upload_address(bucket: &str, key: &str, id: &str) -> S3Result<UploadAddress> {
    let at = write_address(bucket, key)?;
    Ok(UploadAddress {
        repository: at.repository,
        branch: at.branch,
        path: at.path,
        upload_id: id.to_owned(),
    })
}

/// An upload is completed once, however often the caller asks: S3 has no ids of requests.
fn completion_id(upload: &str) -> RequestId {
    let hash = IdentityHasher::new().string("s3 completion").string(upload).finish();
    RequestId::new(hex::encode(&hash[..16])).expect("hexadecimal digits are an id")
}
