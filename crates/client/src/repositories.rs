//! Calls about repositories.

use braid_types::{Error, RepositoryName};
use braid_wire::{
    CreateRepository, DeleteRepository, DumpEvent, DumpRefs, Fsck, FsckEvent, GetRepository,
    ListRepositories, Page, Repository, RestoreEvent, RestoreRefs, proto,
};

use crate::call::{Entries, answer, done};
use crate::client::Client;

impl Client {
    /// Makes a repository with one branch at an empty first commit.
    ///
    /// # Errors
    /// `repository_exists`, `namespace_in_use`.
    pub async fn create_repository(&self, request: CreateRepository) -> Result<Repository, Error> {
        let call = |request| async { self.repository_service().create_repository(request).await };
        done(self.mutate(proto::CreateRepositoryRequest::from(request), call).await?)
    }

    /// One repository.
    ///
    /// # Errors
    /// `repository_not_found`, as all calls that name a repository.
    pub async fn get_repository(&self, repository: &RepositoryName) -> Result<Repository, Error> {
        let request = GetRepository { repository: repository.clone() };
        let call = |request| async { self.repository_service().get_repository(request).await };
        answer(self.read(proto::GetRepositoryRequest::from(request), call).await?)
    }

    /// A page of repositories, by name.
    pub async fn list_repositories(&self, request: ListRepositories) -> Result<Page<Repository>, Error> {
        let call = |request| async { self.repository_service().list_repositories(request).await };
        answer(self.read(proto::ListRepositoriesRequest::from(request), call).await?)
    }

    /// All repositories whose names begin with `prefix`, by name.
    pub fn repositories(&self, prefix: &str) -> Entries<Repository> {
        let prefix = prefix.to_owned();
        self.pages(move |client, page_token| {
            let request =
                ListRepositories { prefix: prefix.clone(), page_size: None, page_token, after: None };
            async move { client.list_repositories(request).await }
        })
    }

    /// Deletes a repository with its branches, tags and history.
    pub async fn delete_repository(&self, repository: &RepositoryName) -> Result<(), Error> {
        let request = DeleteRepository { repository: repository.clone() };
        let call = |request| async { self.repository_service().delete_repository(request).await };
        self.mutate(proto::DeleteRepositoryRequest::from(request), call).await?;
        Ok(())
    }

    /// Checks what is stored of a repository: faults and progress as they come, at last all of the progress.
    pub fn fsck(&self, request: Fsck) -> Entries<FsckEvent> {
        self.stream(proto::FsckRequest::from(request), |client, request| async move {
            client.repository_service().fsck(request).await
        })
    }

    /// Dumps a repository's references beside its trees, in lakeFS's format: progress as it comes, at last what was dumped.
    pub fn dump_refs(&self, repository: &RepositoryName) -> Entries<DumpEvent> {
        let request = DumpRefs { repository: repository.clone() };
        self.stream(proto::DumpRefsRequest::from(request), |client, request| async move {
            client.repository_service().dump_refs(request).await
        })
    }

    /// Restores references from a dump: progress as it comes, at last what was restored. Dropped before that, it is given up,
    /// unless it is done at that moment.
    ///
    /// # Errors
    /// `repository_not_empty`, `dump_not_found`, `invalid_dump`, and `corrupt` for a damaged one.
    pub fn restore_refs(&self, request: RestoreRefs) -> Entries<RestoreEvent> {
        self.mutate_telling(proto::RestoreRefsRequest::from(request), |client, request| async move {
            client.repository_service().restore_refs(request).await
        })
    }
}
