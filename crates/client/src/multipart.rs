//! Calls about uploads in parts. Their data moves in `transfer`.

use braid_types::{Error, RequestId};
use braid_wire::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, GetMultipartUpload,
    ListMultipartUploads, ListParts, MultipartUpload, MultipartUploads, Object, PartTarget, PartUpload,
    Parts, PresignParts, UploadAddress, proto,
};

use crate::call::{answer, done};
use crate::client::Client;
use crate::objects::as_many;

impl Client {
    /// Begins an upload in parts. [`Client::put_parts`] does it and sends all parts.
    pub async fn create_multipart_upload(
        &self,
        request: CreateMultipartUpload,
    ) -> Result<MultipartUpload, Error> {
        let call = |request| async { self.multipart_service().create_multipart_upload(request).await };
        answer(self.read(proto::CreateMultipartUploadRequest::from(request), call).await?)
    }

    /// What is known of an upload under way.
    ///
    /// # Errors
    /// `upload_not_found`.
    pub async fn get_multipart_upload(&self, upload: UploadAddress) -> Result<MultipartUpload, Error> {
        let request = GetMultipartUpload { upload };
        let call = |request| async { self.multipart_service().get_multipart_upload(request).await };
        answer(self.read(proto::GetMultipartUploadRequest::from(request), call).await?)
    }

    /// Uploads under way to a branch, by path and then by id.
    pub async fn list_multipart_uploads(
        &self,
        request: ListMultipartUploads,
    ) -> Result<MultipartUploads, Error> {
        let call = |request| async { self.multipart_service().list_multipart_uploads(request).await };
        answer(self.read(proto::ListMultipartUploadsRequest::from(request), call).await?)
    }

    /// Places to put up to 1,000 parts to, in the order of `parts`.
    ///
    /// # Errors
    /// `upload_not_found`.
    pub async fn presign_parts(
        &self,
        upload: UploadAddress,
        parts: Vec<PartTarget>,
    ) -> Result<Vec<PartUpload>, Error> {
        let asked = parts.len();
        let request = PresignParts { upload, parts };
        let call = |request| async { self.multipart_service().presign_parts(request).await };
        as_many(asked, answer(self.read(proto::PresignPartsRequest::from(request), call).await?)?)
    }

    /// The parts that were uploaded, by number.
    ///
    /// # Errors
    /// `upload_not_found`.
    pub async fn list_parts(&self, request: ListParts) -> Result<Parts, Error> {
        let call = |request| async { self.multipart_service().list_parts(request).await };
        answer(self.read(proto::ListPartsRequest::from(request), call).await?)
    }

    /// Makes an object of parts and stages it.
    ///
    /// # Errors
    /// `upload_not_found`, `invalid_parts`, `precondition_failed`.
    pub async fn complete_multipart_upload(&self, request: CompleteMultipartUpload) -> Result<Object, Error> {
        let call = |request| async { self.multipart_service().complete_multipart_upload(request).await };
        done(self.mutate_long(proto::CompleteMultipartUploadRequest::from(request), call).await?)
    }

    /// The same under a request id of the caller's: the same request with the same id is done once, and answers again as it
    /// did.
    ///
    /// # Errors
    /// Also `request_id_reused`.
    pub async fn complete_multipart_upload_as(
        &self,
        id: &RequestId,
        request: CompleteMultipartUpload,
    ) -> Result<Object, Error> {
        let call = |request| async { self.multipart_service().complete_multipart_upload(request).await };
        let request = proto::CompleteMultipartUploadRequest::from(request);
        done(self.mutate_long_as(id, request, call).await?)
    }

    /// Gives an upload up and removes its parts.
    ///
    /// # Errors
    /// `upload_not_found`.
    pub async fn abort_multipart_upload(&self, upload: UploadAddress) -> Result<(), Error> {
        let request = AbortMultipartUpload { upload };
        let call = |request| async { self.multipart_service().abort_multipart_upload(request).await };
        self.read(proto::AbortMultipartUploadRequest::from(request), call).await.map(|_| ())
    }
}
