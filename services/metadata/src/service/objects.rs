//! Objects: reading, uploading, downloading, deleting.

use braid_catalog::{Applied, ListRequest, Mutation, StagedOperation};
use braid_types::{BranchName, Error, ObjectPath, PathPrefix, RepositoryName};
use braid_wire as wire;
use braid_wire::proto::object_service_server::ObjectService;
use braid_wire::proto::{self, MAX_MESSAGE_BYTES};
use futures::TryStreamExt;
use tonic::{Request, Response, Status, async_trait};

use super::Core;
use crate::convert;
use crate::front::{Answer, span};
use crate::stream::{Answers, Weigh};

/// What a page of a listing may weigh: metadata can make it too large for a message.
const PAGE_BYTES: usize = MAX_MESSAGE_BYTES / 2;

#[async_trait]
impl ObjectService for Core {
    type StreamObjectsStream = Answers<proto::StreamObjectsResponse>;
    type StreamDownloadsStream = Answers<proto::StreamDownloadsResponse>;

    async fn stat_object(&self, request: Request<proto::StatObjectRequest>) -> Answer<proto::Object> {
        let span = span!("grpc.object.stat_object", request.get_ref().repository);
        let answer = |asked: wire::StatObject| async move {
            let objects = self.objects_of(&asked.repository).await?;
            let found = self.catalog.stat(&asked.repository, &asked.reference, &asked.path).await?;
            Ok(objects.object(found))
        };
        self.front.read(span, request, answer).await
    }

    async fn list_objects(
        &self,
        request: Request<proto::ListObjectsRequest>,
    ) -> Answer<proto::ListObjectsResponse> {
        let span = span!("grpc.object.list_objects", request.get_ref().repository);
        self.front.read(span, request, |asked| self.page_of_objects(asked)).await
    }

    async fn stream_objects(
        &self,
        request: Request<proto::StreamObjectsRequest>,
    ) -> Result<Response<Self::StreamObjectsStream>, Status> {
        let span = span!("grpc.object.stream_objects", request.get_ref().repository);
        let open = |asked: wire::StreamObjects| async move {
            let objects = self.objects_of(&asked.repository).await?;
            let list = list_request(asked.prefix, asked.delimiter, asked.after);
            let listed = self.listed(&asked.repository, &asked.reference, &list).await?;
            Ok(listed.and_then(move |listing| std::future::ready(objects.listing(listing))))
        };
        self.front.stream(span, request, open).await
    }

    async fn create_upload(&self, request: Request<proto::CreateUploadRequest>) -> Answer<proto::Upload> {
        let span = span!("grpc.object.create_upload", request.get_ref().repository);
        let answer = |asked: wire::CreateUpload| async move {
            let uploads = self.create_uploads(&asked.repository, &asked.branch, vec![asked.target]).await?;
            Ok(only(uploads))
        };
        self.front.read(span, request, answer).await
    }

    async fn create_uploads(
        &self,
        request: Request<proto::CreateUploadsRequest>,
    ) -> Answer<proto::CreateUploadsResponse> {
        let span = span!("grpc.object.create_uploads", request.get_ref().repository);
        let answer = |asked: wire::CreateUploads| async move {
            self.create_uploads(&asked.repository, &asked.branch, asked.targets).await
        };
        self.front.read(span, request, answer).await
    }

    async fn link_upload(&self, request: Request<proto::LinkUploadRequest>) -> Answer<proto::Object> {
        let span = span!("grpc.object.link_upload", request.get_ref().repository);
        let answer = |asked: wire::LinkUpload, by: Mutation| async move {
            Ok(only(self.link_uploads(&asked.repository, &asked.branch, vec![asked.link], &by).await?))
        };
        self.front.write(span, request, answer).await
    }

    async fn link_uploads(
        &self,
        request: Request<proto::LinkUploadsRequest>,
    ) -> Answer<proto::LinkUploadsResponse> {
        let span = span!("grpc.object.link_uploads", request.get_ref().repository);
        let answer = |asked: wire::LinkUploads, by: Mutation| async move {
            self.link_uploads(&asked.repository, &asked.branch, asked.links, &by).await
        };
        self.front.write(span, request, answer).await
    }

    async fn get_download_url(
        &self,
        request: Request<proto::GetDownloadUrlRequest>,
    ) -> Answer<proto::Download> {
        let span = span!("grpc.object.get_download_url", request.get_ref().repository);
        self.front.read(span, request, |asked| self.download_url(asked)).await
    }

    async fn stream_downloads(
        &self,
        request: Request<proto::StreamDownloadsRequest>,
    ) -> Result<Response<Self::StreamDownloadsStream>, Status> {
        let span = span!("grpc.object.stream_downloads", request.get_ref().repository);
        self.front.stream(span, request, |asked| self.stream_of_downloads(asked)).await
    }

    async fn delete_object(
        &self,
        request: Request<proto::DeleteObjectRequest>,
    ) -> Answer<proto::DeleteObjectResponse> {
        let span = span!("grpc.object.delete_object", request.get_ref().repository);
        let answer = |asked: wire::DeleteObject, by: Mutation| async move {
            let existed = self.delete(&asked.repository, &asked.branch, vec![asked.path], &by).await?;
            Ok(proto::DeleteObjectResponse { existed: only(existed) })
        };
        self.front.write(span, request, answer).await
    }

    async fn delete_objects(
        &self,
        request: Request<proto::DeleteObjectsRequest>,
    ) -> Answer<proto::DeleteObjectsResponse> {
        let span = span!("grpc.object.delete_objects", request.get_ref().repository);
        let answer = |asked: wire::DeleteObjects, by: Mutation| async move {
            self.delete(&asked.repository, &asked.branch, asked.paths, &by).await
        };
        self.front.write(span, request, answer).await
    }
}

impl Core {
    /// A page of a listing, smaller than asked for if it would weigh too much.
    async fn page_of_objects(&self, asked: wire::ListObjects) -> Result<wire::Page<wire::ListItem>, Error> {
        let objects = self.objects_of(&asked.repository).await?;
        let list = list_request(asked.prefix, asked.delimiter, asked.after);
        let mut request = convert::page_request(asked.page_size, asked.page_token);
        loop {
            let page =
                self.catalog.list_objects(&asked.repository, &asked.reference, &list, &request).await?;
            let page = convert::page(page, |listing| objects.listing(listing))?;
            let weight: usize = page.items.iter().map(Weigh::weight).sum();
            if weight <= PAGE_BYTES || request.size == 1 {
                return Ok(page);
            }
            request.size = (page.items.len() / 2).max(1);
        }
    }

    /// Deletes paths in one transaction; for each, whether there was something.
    async fn delete(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        paths: Vec<ObjectPath>,
        by: &Mutation,
    ) -> Result<Vec<bool>, Error> {
        let operations: Vec<_> = paths.into_iter().map(|path| StagedOperation::Delete { path }).collect();
        let applied = self.catalog.stage(repository, branch, &operations, by).await?;
        Ok(applied.into_iter().map(|applied| applied != Applied::Missing).collect())
    }
}

fn list_request(prefix: PathPrefix, delimiter: Option<String>, after: Option<PathPrefix>) -> ListRequest {
    ListRequest {
        prefix,
        delimiter: delimiter.unwrap_or_default(),
        after: after.map(|after| after.to_string()).unwrap_or_default(),
    }
}

/// The answer to a batch of one.
fn only<T>(answers: Vec<T>) -> T {
    answers.into_iter().next().expect("one question has one answer")
}
