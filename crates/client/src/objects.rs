//! Calls about objects. Their data moves in `transfer`.

use std::collections::BTreeMap;

use braid_types::{BranchName, Error, ObjectPath, RefExpression, RepositoryName};
use braid_wire::{
    Apply, ApplyResult, CopyObject, CreateUpload, CreateUploads, DeleteObject, DeleteObjects, DeletePrefix,
    Download, GetDownloadUrl, GetUsage, Link, LinkObject, LinkUpload, LinkUploads, ListItem, ListObjects,
    MoveDirectory, MoveObject, Object, Page, PrefixUsage, SetObjectMetadata, StatObject, StreamDownloads,
    StreamObjects, StreamUsage, Upload, UploadTarget, Usage, proto,
};

use crate::call::{Entries, answer, as_many, done};
use crate::client::Client;

impl Client {
    /// What a path maps to.
    ///
    /// # Errors
    /// `object_not_found`.
    pub async fn stat_object(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        path: &ObjectPath,
    ) -> Result<Object, Error> {
        let (repository, reference) = (repository.clone(), reference.clone());
        let request = StatObject { repository, reference, path: path.clone() };
        let call = |request| async {
            match self.direct() {
                Some(objects) => objects.stat_object(request).await,
                None => self.object_service().stat_object(request).await,
            }
        };
        answer(self.read(proto::StatObjectRequest::from(request), call).await?)
    }

    /// A page of objects, by path.
    pub async fn list_objects(&self, request: ListObjects) -> Result<Page<ListItem>, Error> {
        let call = |request| async {
            match self.direct() {
                Some(objects) => objects.list_objects(request).await,
                None => self.object_service().list_objects(request).await,
            }
        };
        answer(self.read(proto::ListObjectsRequest::from(request), call).await?)
    }

    /// All objects, by path, from one snapshot.
    pub fn stream_objects(&self, request: StreamObjects) -> Entries<ListItem> {
        self.stream(proto::StreamObjectsRequest::from(request), |client, request| async move {
            client.object_service().stream_objects(request).await
        })
    }

    /// How much there is under a prefix.
    pub async fn get_usage(&self, request: GetUsage) -> Result<Usage, Error> {
        let call = |request| async { self.object_service().get_usage(request).await };
        answer(self.read_long(proto::GetUsageRequest::from(request), call).await?)
    }

    /// How much there is under each common prefix, by path, and last under the whole prefix; from one snapshot.
    pub fn stream_usage(&self, request: StreamUsage) -> Entries<PrefixUsage> {
        self.stream(proto::StreamUsageRequest::from(request), |client, request| async move {
            client.object_service().stream_usage(request).await
        })
    }

    /// A place to upload one object to. [`Client::upload`] does the whole of it.
    pub async fn create_upload(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        target: UploadTarget,
    ) -> Result<Upload, Error> {
        self.create_upload_of(repository, branch, target, false).await
    }

    /// The same with a URL that asks for no headers, for clients that cannot send any. Until it expires, whoever has it can
    /// put other data in place of what was linked.
    pub async fn create_upload_without_headers(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        target: UploadTarget,
    ) -> Result<Upload, Error> {
        self.create_upload_of(repository, branch, target, true).await
    }

    async fn create_upload_of(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        target: UploadTarget,
        without_headers: bool,
    ) -> Result<Upload, Error> {
        let (repository, branch) = (repository.clone(), branch.clone());
        let request = CreateUpload { repository, branch, target, without_headers };
        let call = |request| async { self.object_service().create_upload(request).await };
        answer(self.read(proto::CreateUploadRequest::from(request), call).await?)
    }

    /// Places to upload up to 1,000 objects to, in the order of `targets`.
    pub async fn create_uploads(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        targets: Vec<UploadTarget>,
    ) -> Result<Vec<Upload>, Error> {
        let asked = targets.len();
        let request = CreateUploads { repository: repository.clone(), branch: branch.clone(), targets };
        let call = |request| async { self.object_service().create_uploads(request).await };
        let uploads = answer(self.read(proto::CreateUploadsRequest::from(request), call).await?)?;
        as_many(asked, uploads)
    }

    /// Stages an uploaded object at its path. Links that are under way together may go in one call, each for itself.
    ///
    /// # Errors
    /// `invalid_intent`, `upload_mismatch`, `precondition_failed`.
    pub async fn link_upload(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        link: Link,
    ) -> Result<Object, Error> {
        let request = LinkUpload { repository: repository.clone(), branch: branch.clone(), link };
        let message = self.named(proto::LinkUploadRequest::from(request));
        let mut retries = self.retries();
        loop {
            let linked = match self.for_somebody() {
                true => self.link_alone(&message).await,
                false => self.link_together(&message).await,
            };
            match linked {
                Ok(object) => return Ok(object),
                Err(error) => retries.after(error).await?,
            }
        }
    }

    /// Stages up to 10,000 uploaded objects, all or none; answers in the order of `links`.
    ///
    /// # Errors
    /// `invalid_intent`, `upload_mismatch`, `precondition_failed`, `limit_exceeded`.
    pub async fn link_uploads(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        links: Vec<Link>,
    ) -> Result<Vec<Object>, Error> {
        let asked = links.len();
        let request = LinkUploads { repository: repository.clone(), branch: branch.clone(), links };
        let call = |request| async { self.object_service().link_uploads(request).await };
        let objects = done(self.mutate(proto::LinkUploadsRequest::from(request), call).await?)?;
        as_many(asked, objects).map_err(Error::that_may_have_happened)
    }

    /// Stages an object that is in a bucket already, where it is.
    ///
    /// # Errors
    /// `invalid_argument` if it cannot be linked, `upload_mismatch`, `precondition_failed`.
    pub async fn link_object(&self, request: LinkObject) -> Result<Object, Error> {
        let call = |request| async { self.object_service().link_object(request).await };
        done(self.mutate(proto::LinkObjectRequest::from(request), call).await?)
    }

    /// Where to download an object from. [`Client::download`] does the whole of it.
    ///
    /// # Errors
    /// `object_not_found`.
    pub async fn get_download_url(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        path: &ObjectPath,
    ) -> Result<Download, Error> {
        let (repository, reference) = (repository.clone(), reference.clone());
        let request = GetDownloadUrl { repository, reference, path: path.clone() };
        let call = |request| async {
            match self.direct() {
                Some(objects) => objects.get_download_url(request).await,
                None => self.object_service().get_download_url(request).await,
            }
        };
        answer(self.read(proto::GetDownloadUrlRequest::from(request), call).await?)
    }

    /// Where to download all objects under a prefix from, by path, from one snapshot.
    pub fn stream_downloads(&self, request: StreamDownloads) -> Entries<Download> {
        self.stream(proto::StreamDownloadsRequest::from(request), |client, request| async move {
            client.object_service().stream_downloads(request).await
        })
    }

    /// Makes a path show what another one shows. The data is not copied.
    ///
    /// # Errors
    /// `object_not_found`, `precondition_failed`.
    pub async fn copy_object(&self, request: CopyObject) -> Result<Object, Error> {
        let call = |request| async { self.object_service().copy_object(request).await };
        done(self.mutate(proto::CopyObjectRequest::from(request), call).await?)
    }

    /// Replaces the user's own keys and values of an object.
    ///
    /// # Errors
    /// `object_not_found`, `limit_exceeded`.
    pub async fn set_object_metadata(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        path: &ObjectPath,
        metadata: BTreeMap<String, String>,
    ) -> Result<Object, Error> {
        let (repository, branch, path) = (repository.clone(), branch.clone(), path.clone());
        let request = SetObjectMetadata { repository, branch, path, metadata };
        let call = |request| async { self.object_service().set_object_metadata(request).await };
        done(self.mutate(proto::SetObjectMetadataRequest::from(request), call).await?)
    }

    /// Deletes an object; says whether there was one.
    pub async fn delete_object(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        path: &ObjectPath,
    ) -> Result<bool, Error> {
        let (repository, branch) = (repository.clone(), branch.clone());
        let request =
            DeleteObject { repository, branch, path: path.clone(), if_etag: None, if_generation: None };
        let call = |request| async { self.object_service().delete_object(request).await };
        Ok(self.mutate(proto::DeleteObjectRequest::from(request), call).await?.existed)
    }

    /// Deletes an object if it has this checksum.
    ///
    /// # Errors
    /// `precondition_failed` if it has another one, or is not there.
    pub async fn delete_object_if_etag(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        path: &ObjectPath,
        etag: &str,
    ) -> Result<(), Error> {
        let (repository, branch) = (repository.clone(), branch.clone());
        let (path, if_etag) = (path.clone(), Some(etag.to_owned()));
        let request = DeleteObject { repository, branch, path, if_etag, if_generation: None };
        let call = |request| async { self.object_service().delete_object(request).await };
        self.mutate(proto::DeleteObjectRequest::from(request), call).await.map(|_| ())
    }

    /// Deletes exactly this version of an object.
    ///
    /// # Errors
    /// `precondition_failed` if there is another one, or none; for generation 0 if there is an object.
    pub async fn delete_object_if_generation(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        path: &ObjectPath,
        generation: u64,
    ) -> Result<(), Error> {
        let (repository, branch, path) = (repository.clone(), branch.clone(), path.clone());
        let if_generation = Some(generation);
        let request = DeleteObject { repository, branch, path, if_etag: None, if_generation };
        let call = |request| async { self.object_service().delete_object(request).await };
        self.mutate(proto::DeleteObjectRequest::from(request), call).await.map(|_| ())
    }

    /// Stages uploads, deletes and copies objects on several branches if all preconditions hold: all or none. Answers in the order
    /// of the operations.
    ///
    /// # Errors
    /// `precondition_failed`, `invalid_intent`, `upload_mismatch`, `object_not_found`, `limit_exceeded`.
    pub async fn apply(&self, request: Apply) -> Result<Vec<ApplyResult>, Error> {
        let asked = request.operations.len();
        let call = |request| async { self.object_service().apply(request).await };
        let results = done(self.mutate(proto::ApplyRequest::from(request), call).await?)?;
        as_many(asked, results).map_err(Error::that_may_have_happened)
    }

    /// Deletes everything under a prefix, at once; says whether there was anything.
    ///
    /// # Errors
    /// `busy`.
    pub async fn delete_prefix(&self, request: DeletePrefix) -> Result<bool, Error> {
        let call = |request| async { self.object_service().delete_prefix(request).await };
        Ok(self.mutate(proto::DeletePrefixRequest::from(request), call).await?.existed)
    }

    /// Moves one object.
    ///
    /// # Errors
    /// `object_not_found`, `destination_exists`, `into_itself`.
    pub async fn move_object(&self, request: MoveObject) -> Result<(), Error> {
        let call = |request| async { self.object_service().move_object(request).await };
        self.mutate(proto::MoveObjectRequest::from(request), call).await.map(|_| ())
    }

    /// Renames a directory, at once.
    ///
    /// # Errors
    /// `object_not_found`, `destination_exists`, `into_itself`, `invalid_path`, `busy`.
    pub async fn move_directory(&self, request: MoveDirectory) -> Result<(), Error> {
        let call = |request| async { self.object_service().move_directory(request).await };
        self.mutate(proto::MoveDirectoryRequest::from(request), call).await.map(|_| ())
    }

    /// Deletes up to 10,000 objects, all or none; says for each whether there was one.
    ///
    /// # Errors
    /// `limit_exceeded`.
    pub async fn delete_objects(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        paths: Vec<ObjectPath>,
    ) -> Result<Vec<bool>, Error> {
        let asked = paths.len();
        let request = DeleteObjects { repository: repository.clone(), branch: branch.clone(), paths };
        let call = |request| async { self.object_service().delete_objects(request).await };
        let existed = done(self.mutate(proto::DeleteObjectsRequest::from(request), call).await?)?;
        as_many(asked, existed).map_err(Error::that_may_have_happened)
    }
}
