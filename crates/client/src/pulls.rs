//! Calls about pull requests.

use braid_types::{Error, PullId, RepositoryName};
use braid_wire::{
    CreatePullRequest, GetPullRequest, ListPullRequests, MergePullRequest, Page, PullRequest,
    PullRequestFilter, UpdatePullRequest, proto,
};

use crate::call::{Entries, answer, done};
use crate::client::Client;

impl Client {
    /// Makes a pull request.
    ///
    /// # Errors
    /// `branch_not_found`, `same_branch`, `limit_exceeded`.
    pub async fn create_pull_request(&self, request: CreatePullRequest) -> Result<PullRequest, Error> {
        let call = |request| async { self.pull_request_service().create_pull_request(request).await };
        done(self.mutate(proto::CreatePullRequestRequest::from(request), call).await?)
    }

    /// A pull request.
    ///
    /// # Errors
    /// `pull_request_not_found`.
    pub async fn get_pull_request(
        &self,
        repository: &RepositoryName,
        id: PullId,
    ) -> Result<PullRequest, Error> {
        let request = GetPullRequest { repository: repository.clone(), id };
        let call = |request| async { self.pull_request_service().get_pull_request(request).await };
        answer(self.read(proto::GetPullRequestRequest::from(request), call).await?)
    }

    /// A page of a repository's pull requests, without their descriptions.
    pub async fn list_pull_requests(&self, request: ListPullRequests) -> Result<Page<PullRequest>, Error> {
        let call = |request| async { self.pull_request_service().list_pull_requests(request).await };
        answer(self.read(proto::ListPullRequestsRequest::from(request), call).await?)
    }

    /// All pull requests of a repository of which this became, the newest first, without their descriptions.
    pub fn pull_requests(
        &self,
        repository: &RepositoryName,
        filter: PullRequestFilter,
    ) -> Entries<PullRequest> {
        let repository = repository.clone();
        self.pages(move |client, page_token| {
            let request = ListPullRequests {
                repository: repository.clone(),
                filter,
                prefix: String::new(),
                after: None,
                page_size: None,
                page_token,
            };
            async move { client.list_pull_requests(request).await }
        })
    }

    /// Changes what is said of a pull request, closes it or opens it again.
    ///
    /// # Errors
    /// `pull_request_not_open` if it was merged, `pull_request_not_found`, `limit_exceeded`.
    pub async fn update_pull_request(&self, request: UpdatePullRequest) -> Result<PullRequest, Error> {
        let call = |request| async { self.pull_request_service().update_pull_request(request).await };
        done(self.mutate(proto::UpdatePullRequestRequest::from(request), call).await?)
    }

    /// Merges an open pull request; its commit is in the answer.
    ///
    /// # Errors
    /// Those of [`Client::merge`], and `pull_request_not_open`, `pull_request_not_found`, `branch_not_found`.
    pub async fn merge_pull_request(&self, request: MergePullRequest) -> Result<PullRequest, Error> {
        let call = |request| async { self.pull_request_service().merge_pull_request(request).await };
        done(self.mutate_long(proto::MergePullRequestRequest::from(request), call).await?)
    }
}
