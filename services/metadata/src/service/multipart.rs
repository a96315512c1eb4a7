//! Uploads in parts.

use braid_catalog::Mutation;
use braid_wire::proto::multipart_service_server::MultipartService;
use braid_wire::{self as wire, proto};
use tonic::{Request, async_trait};

use super::Core;
use crate::front::{Answer, span};

/// The repository that a message about an upload names.
fn repository(upload: &Option<proto::UploadAddress>) -> &str {
    upload.as_ref().map_or("", |upload| upload.repository.as_str())
}

#[async_trait]
impl MultipartService for Core {
    async fn create_multipart_upload(
        &self,
        request: Request<proto::CreateMultipartUploadRequest>,
    ) -> Answer<proto::MultipartUpload> {
        let span = span!("grpc.multipart.create_multipart_upload", request.get_ref().repository);
        self.front.read(span, request, |asked| self.create_multipart(asked)).await
    }

    async fn get_multipart_upload(
        &self,
        request: Request<proto::GetMultipartUploadRequest>,
    ) -> Answer<proto::MultipartUpload> {
        let span = span!("grpc.multipart.get_multipart_upload", repository(&request.get_ref().upload));
        let answer = |asked: wire::GetMultipartUpload| self.multipart(asked.upload);
        self.front.read(span, request, answer).await
    }

    async fn list_multipart_uploads(
        &self,
        request: Request<proto::ListMultipartUploadsRequest>,
    ) -> Answer<proto::ListMultipartUploadsResponse> {
        let span = span!("grpc.multipart.list_multipart_uploads", request.get_ref().repository);
        self.front.read(span, request, |asked| self.list_multiparts(asked)).await
    }

    async fn presign_parts(
        &self,
        request: Request<proto::PresignPartsRequest>,
    ) -> Answer<proto::PresignPartsResponse> {
        let span = span!("grpc.multipart.presign_parts", repository(&request.get_ref().upload));
        self.front.read(span, request, |asked| self.presign_parts(asked)).await
    }

    async fn list_parts(
        &self,
        request: Request<proto::ListPartsRequest>,
    ) -> Answer<proto::ListPartsResponse> {
        let span = span!("grpc.multipart.list_parts", repository(&request.get_ref().upload));
        self.front.read(span, request, |asked| self.parts_of(asked)).await
    }

    async fn complete_multipart_upload(
        &self,
        request: Request<proto::CompleteMultipartUploadRequest>,
    ) -> Answer<proto::Object> {
        let span = span!("grpc.multipart.complete_multipart_upload", repository(&request.get_ref().upload));
        let answer = |asked: wire::CompleteMultipartUpload, by: Mutation| async move {
            self.complete_multipart(asked, &by).await
        };
        self.front.write(span, request, answer).await
    }

    async fn abort_multipart_upload(
        &self,
        request: Request<proto::AbortMultipartUploadRequest>,
    ) -> Answer<proto::AbortMultipartUploadResponse> {
        let span = span!("grpc.multipart.abort_multipart_upload", repository(&request.get_ref().upload));
        let answer = |asked: wire::AbortMultipartUpload| async move {
            self.abort_multipart(asked.upload).await?;
            Ok(proto::AbortMultipartUploadResponse {})
        };
        self.front.read(span, request, answer).await
    }
}
