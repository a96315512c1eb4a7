//! Pull requests.

use braid_catalog::{CreatePull, MergePull, Mutation, PullFilter, PullRecord, PullState, UpdatePull};
use braid_types::{Code, Error};
use braid_wire::proto::pull_request_service_server::PullRequestService;
use braid_wire::{self as wire, PullRequestFilter, PullRequestStatus, proto};
use tonic::{Request, async_trait};

use super::Core;
use crate::convert;
use crate::front::{Answer, span};

#[async_trait]
impl PullRequestService for Core {
    async fn create_pull_request(
        &self,
        request: Request<proto::CreatePullRequestRequest>,
    ) -> Answer<proto::PullRequest> {
        let span = span!("grpc.pull.create_pull_request", request.get_ref().repository);
        let answer = |asked: wire::CreatePullRequest, by: Mutation| async move {
            let create = CreatePull {
                title: asked.title,
                description: asked.description,
                author: by.principal.clone(),
                source: asked.source,
                destination: asked.destination,
            };
            Ok(shown(self.catalog.create_pull(&asked.repository, &create, &by).await?))
        };
        self.front.write(span, request, answer).await
    }

    async fn get_pull_request(
        &self,
        request: Request<proto::GetPullRequestRequest>,
    ) -> Answer<proto::PullRequest> {
        let span = span!("grpc.pull.get_pull_request", request.get_ref().repository);
        let answer = |asked: wire::GetPullRequest| async move {
            Ok(shown(self.catalog.pull(&asked.repository, asked.id).await?))
        };
        self.front.read(span, request, answer).await
    }

    async fn list_pull_requests(
        &self,
        request: Request<proto::ListPullRequestsRequest>,
    ) -> Answer<proto::ListPullRequestsResponse> {
        let span = span!("grpc.pull.list_pull_requests", request.get_ref().repository);
        let answer = |asked: wire::ListPullRequests| async move {
            let page = convert::page_request(asked.page_size, asked.page_token);
            let names = convert::names(&asked.prefix, asked.after.as_deref());
            let page = self.catalog.list_pulls(&asked.repository, filter(asked.filter), names, &page).await?;
            convert::page(page, |record| Ok(shown(record)))
        };
        self.front.read(span, request, answer).await
    }

    async fn update_pull_request(
        &self,
        request: Request<proto::UpdatePullRequestRequest>,
    ) -> Answer<proto::PullRequest> {
        let span = span!("grpc.pull.update_pull_request", request.get_ref().repository);
        let answer = |asked: wire::UpdatePullRequest, by: Mutation| async move {
            let update = UpdatePull {
                title: asked.title,
                description: asked.description,
                open: asked.status.map(is_open).transpose()?,
            };
            Ok(shown(self.catalog.update_pull(&asked.repository, asked.id, &update, &by).await?))
        };
        self.front.write(span, request, answer).await
    }

    async fn merge_pull_request(
        &self,
        request: Request<proto::MergePullRequestRequest>,
    ) -> Answer<proto::PullRequest> {
        let span = span!("grpc.pull.merge_pull_request", request.get_ref().repository);
        let answer = |asked: wire::MergePullRequest, by: Mutation| async move {
            let merge = MergePull {
                id: asked.id,
                strategy: convert::strategy(asked.strategy),
                committer: by.principal.clone(),
                message: asked.message.unwrap_or_default(),
                metadata: asked.metadata,
                squash: asked.squash,
            };
            self.catalog.merge_pull(&asked.repository, &merge, &by).await?;
            Ok(shown(self.catalog.pull(&asked.repository, asked.id).await?))
        };
        self.front.write(span, request, answer).await
    }
}

fn filter(filter: PullRequestFilter) -> PullFilter {
    match filter {
        PullRequestFilter::All => PullFilter::All,
        PullRequestFilter::Open => PullFilter::Open,
        PullRequestFilter::Closed => PullFilter::Closed,
    }
}

/// Whether one with this status, which a caller asks for, is open.
fn is_open(status: PullRequestStatus) -> Result<bool, Error> {
    match status {
        PullRequestStatus::Open => Ok(true),
        PullRequestStatus::Closed => Ok(false),
        PullRequestStatus::Merged => {
            let message = "invalid pull request status 'merged': only merging a pull request makes it so";
            Err(Error::new(Code::InvalidArgument, "status", message))
        }
    }
}

fn shown(record: PullRecord) -> wire::PullRequest {
    let (status, closed_at, merged_commit_id) = match record.state {
        PullState::Open => (PullRequestStatus::Open, None, None),
        PullState::Closed { at } => (PullRequestStatus::Closed, Some(at), None),
        PullState::Merged { at, commit } => (PullRequestStatus::Merged, Some(at), Some(commit)),
    };
    wire::PullRequest {
        id: record.id,
        title: record.title,
        description: record.description,
        author: record.author,
        source: record.source,
        destination: record.destination,
        status,
        created_at: record.created,
        closed_at,
        merged_commit_id,
    }
}
