//! Objects: reading, uploading, downloading, deleting.

use braid_catalog::{
    Applied, Condition, DirectoryUsages, ListRequest, MoveDirectory, Mutation, PrefixUsage, StagedOperation,
};
use braid_types::{BranchName, Error, PathPrefix, RepositoryName, limits};
use braid_wire::proto::object_service_server::ObjectService;
use braid_wire::{self as wire, proto};
use futures::{Stream, TryStreamExt, stream};
use tonic::{Request, Response, Status, async_trait};

use super::Core;
use crate::convert;
use crate::front::{Answer, report, span};
use crate::stream::{Answers, items_of, light_page};
use crate::uploads::{Headers, check_count, write_condition};

#[async_trait]
impl ObjectService for Core {
    type StreamObjectsStream = Answers<proto::StreamObjectsResponse>;
    type StreamDownloadsStream = Answers<proto::StreamDownloadsResponse>;
    type StreamUsageStream = Answers<proto::StreamUsageResponse>;

    async fn stat_object(&self, request: Request<proto::StatObjectRequest>) -> Answer<proto::Object> {
        let span = span!("grpc.object.stat_object", request.get_ref().repository);
        let answer = |asked: wire::StatObject| async move {
            let found = self.catalog.stat(&asked.repository, &asked.reference, &asked.path).await?;
            Ok(convert::object(found))
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
            let list = list_request(asked.prefix, asked.delimiter, asked.after);
            let listed = self.listed(&asked.repository, &asked.reference, &list).await?;
            Ok(listed.and_then(|listing| std::future::ready(convert::listing(listing))))
        };
        self.front.stream(span, request, open).await
    }

    async fn get_usage(&self, request: Request<proto::GetUsageRequest>) -> Answer<proto::Usage> {
        let span = span!("grpc.object.get_usage", request.get_ref().repository);
        let answer = |asked: wire::GetUsage| async move {
            let usage = self.catalog.usage(&asked.repository, &asked.reference, &asked.prefix).await?;
            Ok(convert::usage(usage))
        };
        self.front.read(span, request, answer).await
    }

    async fn stream_usage(
        &self,
        request: Request<proto::StreamUsageRequest>,
    ) -> Result<Response<Self::StreamUsageStream>, Status> {
        let span = span!("grpc.object.stream_usage", request.get_ref().repository);
        let open = |asked: wire::StreamUsage| async move {
            let delimiter = asked.delimiter.unwrap_or_default();
            let usages = self
                .catalog
                .usage_by_directory(&asked.repository, &asked.reference, &asked.prefix, &delimiter)
                .await?;
            Ok(prefixes(usages))
        };
        self.front.stream(span, request, open).await
    }

    async fn create_upload(&self, request: Request<proto::CreateUploadRequest>) -> Answer<proto::Upload> {
        let span = span!("grpc.object.create_upload", request.get_ref().repository);
        let answer = |asked: wire::CreateUpload| async move {
            let headers = if asked.without_headers { Headers::None } else { Headers::Wanted };
            let targets = vec![asked.target];
            let uploads = self.create_uploads(&asked.repository, &asked.branch, targets, headers).await?;
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
            self.create_uploads(&asked.repository, &asked.branch, asked.targets, Headers::Wanted).await
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

    async fn link_each(&self, request: Request<proto::LinkEachRequest>) -> Answer<proto::LinkEachResponse> {
        let span = span!("grpc.object.link_each");
        check_count("calls", request.get_ref().calls.len(), limits::LINK_EACH_CALLS)
            .map_err(|error| report(&span, &error))?;
        let calls = request.map(|each| each.calls);
        let ended = self.front.write_each(span, calls, |asked| self.link_each(asked)).await?;
        Ok(Response::new(ended.into_iter().map(wire::LinkAnswer).collect::<Vec<_>>().into()))
    }

    async fn link_object(&self, request: Request<proto::LinkObjectRequest>) -> Answer<proto::Object> {
        let span = span!("grpc.object.link_object", request.get_ref().repository);
        let answer =
            |asked: wire::LinkObject, by: Mutation| async move { self.link_object(asked, &by).await };
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
            let condition =
                write_condition(&asked.path, false, asked.if_etag.as_deref(), asked.if_generation)?;
            let delete = vec![StagedOperation::Delete { path: asked.path, condition }];
            let existed = self.delete(&asked.repository, &asked.branch, delete, &by).await?;
            Ok(proto::DeleteObjectResponse { existed: only(existed) })
        };
        self.front.write(span, request, answer).await
    }

    async fn copy_object(&self, request: Request<proto::CopyObjectRequest>) -> Answer<proto::Object> {
        let span = span!("grpc.object.copy_object", request.get_ref().repository);
        let answer = |asked: wire::CopyObject, by: Mutation| async move { self.copy(asked, &by).await };
        self.front.write(span, request, answer).await
    }

    async fn set_object_metadata(
        &self,
        request: Request<proto::SetObjectMetadataRequest>,
    ) -> Answer<proto::Object> {
        let span = span!("grpc.object.set_object_metadata", request.get_ref().repository);
        let answer =
            |asked: wire::SetObjectMetadata, by: Mutation| async move { self.set_metadata(asked, &by).await };
        self.front.write(span, request, answer).await
    }

    async fn delete_objects(
        &self,
        request: Request<proto::DeleteObjectsRequest>,
    ) -> Answer<proto::DeleteObjectsResponse> {
        let span = span!("grpc.object.delete_objects", request.get_ref().repository);
        let answer = |asked: wire::DeleteObjects, by: Mutation| async move {
            let delete = |path| StagedOperation::Delete { path, condition: Condition::Always };
            let deletes = asked.paths.into_iter().map(delete).collect();
            self.delete(&asked.repository, &asked.branch, deletes, &by).await
        };
        self.front.write(span, request, answer).await
    }

    async fn delete_prefix(
        &self,
        request: Request<proto::DeletePrefixRequest>,
    ) -> Answer<proto::DeletePrefixResponse> {
        let span = span!("grpc.object.delete_prefix", request.get_ref().repository);
        let answer = |asked: wire::DeletePrefix, by: Mutation| async move {
            let existed =
                self.catalog.delete_prefix(&asked.repository, &asked.branch, &asked.prefix, &by).await?;
            Ok(proto::DeletePrefixResponse { existed })
        };
        self.front.write(span, request, answer).await
    }

    async fn move_object(
        &self,
        request: Request<proto::MoveObjectRequest>,
    ) -> Answer<proto::MoveObjectResponse> {
        let span = span!("grpc.object.move_object", request.get_ref().repository);
        let answer = |asked: wire::MoveObject, by: Mutation| async move {
            let paths = [asked.source, asked.destination];
            self.catalog.move_object(&asked.repository, &asked.branch, paths, asked.overwrite, &by).await?;
            Ok(proto::MoveObjectResponse {})
        };
        self.front.write(span, request, answer).await
    }

    async fn move_directory(
        &self,
        request: Request<proto::MoveDirectoryRequest>,
    ) -> Answer<proto::MoveDirectoryResponse> {
        let span = span!("grpc.object.move_directory", request.get_ref().repository);
        let answer = |asked: wire::MoveDirectory, by: Mutation| async move {
            let wire::MoveDirectory { repository, branch, source, destination, overwrite } = asked;
            let what = MoveDirectory { branch, source, destination, overwrite };
            self.catalog.move_directory(&repository, &what, &by).await?;
            Ok(proto::MoveDirectoryResponse {})
        };
        self.front.write(span, request, answer).await
    }

    async fn apply(&self, request: Request<proto::ApplyRequest>) -> Answer<proto::ApplyResponse> {
        let first = request.get_ref().operations.first();
        let span = span!("grpc.object.apply", first.map_or("", |operation| operation.repository.as_str()));
        let answer = |asked: wire::Apply, by: Mutation| async move { self.apply_all(asked, &by).await };
        self.front.write(span, request, answer).await
    }
}

impl Core {
    /// A page of a listing, smaller than asked for if it would weigh too much.
    async fn page_of_objects(&self, asked: wire::ListObjects) -> Result<wire::Page<wire::ListItem>, Error> {
        let list = list_request(asked.prefix, asked.delimiter, asked.after);
        let request = convert::page_request(asked.page_size, asked.page_token);
        let (catalog, repository, reference, list) =
            (&self.catalog, &asked.repository, &asked.reference, &list);
        let read = |request| async move {
            let page = catalog.list_objects(repository, reference, list, &request).await?;
            convert::page(page, convert::listing)
        };
        light_page(request, read).await
    }

    /// Deletes in one transaction; says for each path whether there was something.
    async fn delete(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        deletes: Vec<StagedOperation>,
        by: &Mutation,
    ) -> Result<Vec<bool>, Error> {
        let applied = self.catalog.stage(repository, branch, &deletes, by).await?;
        Ok(applied.into_iter().map(|applied| applied != Applied::Missing).collect())
    }
}

fn prefixes(usages: DirectoryUsages) -> impl Stream<Item = Result<wire::PrefixUsage, Error>> + Send {
    let batches = items_of(usages, async |mut usages| {
        let items = usages.next_items().await?;
        Ok(if items.is_empty() { None } else { Some((items, usages)) })
    });
    let one = |of: PrefixUsage| Ok(wire::PrefixUsage { prefix: of.prefix, usage: convert::usage(of.usage) });
    batches.map_ok(move |items| stream::iter(items.into_iter().map(one))).try_flatten()
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
