//! Commits: history, differences, merges.

use braid_catalog::{CommitTree, DiffRequest, Differences, LogRequest, Mutation, SetMember};
use braid_types::{CommitId, Error, RefExpression, RepositoryName};
use braid_wire::proto::commit_service_server::CommitService;
use braid_wire::{self as wire, proto};
use futures::{Stream, StreamExt, TryStreamExt};
use tonic::{Request, Response, Status, async_trait};

use super::Core;
use crate::convert;
use crate::front::{Answer, span};
use crate::stream::{Answers, items_of, light_page};

#[async_trait]
impl CommitService for Core {
    type LogStream = Answers<proto::LogResponse>;
    type DiffStream = Answers<proto::DiffResponse>;
    type DiffBranchStream = Answers<proto::DiffResponse>;
    type ListMergeConflictsStream = Answers<proto::ListMergeConflictsResponse>;

    async fn commit(&self, request: Request<proto::CommitRequest>) -> Answer<proto::Commit> {
        let span = span!("grpc.commit.commit", request.get_ref().repository);
        let answer = |asked: wire::CommitBranch, by: Mutation| async move {
            let repository = asked.repository.clone();
            let id = self.catalog.commit(&repository, &convert::commit_request(asked, &by), &by).await?;
            self.made(&repository, id).await
        };
        self.front.write(span, request, answer).await
    }

    async fn commit_tree(&self, request: Request<proto::CommitTreeRequest>) -> Answer<proto::Commit> {
        let span = span!("grpc.commit.commit_tree", request.get_ref().repository);
        let answer = |asked: wire::CommitTree, by: Mutation| async move {
            let commit = CommitTree {
                branch: asked.branch,
                tree: asked.metarange_id,
                committer: by.principal.clone(),
                message: asked.message,
                metadata: asked.metadata,
                time: asked.date,
            };
            let id = self.catalog.commit_tree(&asked.repository, &commit, &by).await?;
            self.made(&asked.repository, id).await
        };
        self.front.write(span, request, answer).await
    }

    async fn get_commit(&self, request: Request<proto::GetCommitRequest>) -> Answer<proto::Commit> {
        let span = span!("grpc.commit.get_commit", request.get_ref().repository);
        let answer = |asked: wire::GetCommit| async move {
            let (id, commit) = self.catalog.commit_at(&asked.repository, &asked.reference).await?;
            Ok(convert::commit(id, &commit))
        };
        self.front.read(span, request, answer).await
    }

    async fn log(&self, request: Request<proto::LogRequest>) -> Result<Response<Self::LogStream>, Status> {
        let span = span!("grpc.commit.log", request.get_ref().repository);
        let open = |asked: wire::Log| async move {
            let limit = asked.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
            let log = LogRequest {
                start: asked.reference,
                first_parent: asked.first_parent,
                since: asked.since,
                after: asked.after,
                stop_at: asked.stop_at,
                paths: asked.paths,
                prefixes: asked.prefixes,
            };
            let history = self.catalog.log(&asked.repository, log).await?;
            let commits = items_of(history, async |mut history| {
                Ok(history.next().await?.map(|(id, commit)| (convert::commit(id, &commit), history)))
            });
            Ok(commits.take(limit))
        };
        self.front.stream(span, request, open).await
    }

    async fn diff(&self, request: Request<proto::DiffRequest>) -> Result<Response<Self::DiffStream>, Status> {
        let span = span!("grpc.commit.diff", request.get_ref().repository);
        let open = |asked: wire::Diff| async move {
            let diff = DiffRequest {
                left: asked.left,
                right: asked.right,
                mode: convert::diff_mode(asked.mode),
                query: convert::diff_query(asked.prefix, asked.delimiter, asked.after),
            };
            Ok(items(self.catalog.diff(&asked.repository, &diff).await?))
        };
        self.front.stream(span, request, open).await
    }

    async fn list_diff(&self, request: Request<proto::ListDiffRequest>) -> Answer<proto::ListDiffResponse> {
        let span = span!("grpc.commit.list_diff", request.get_ref().repository);
        self.front.read(span, request, |asked| self.page_of_diff(asked)).await
    }

    async fn diff_branch(
        &self,
        request: Request<proto::DiffBranchRequest>,
    ) -> Result<Response<Self::DiffBranchStream>, Status> {
        let span = span!("grpc.commit.diff_branch", request.get_ref().repository);
        let open = |asked: wire::DiffBranch| async move {
            let query = convert::diff_query(asked.prefix, asked.delimiter, asked.after);
            Ok(items(self.catalog.diff_branch(&asked.repository, &asked.branch, &query).await?))
        };
        self.front.stream(span, request, open).await
    }

    async fn merge(&self, request: Request<proto::MergeRequest>) -> Answer<proto::Commit> {
        let span = span!("grpc.commit.merge", request.get_ref().repository);
        let answer = |asked: wire::Merge, by: Mutation| async move {
            let repository = asked.repository.clone();
            let id = self.catalog.merge(&repository, &convert::merge_request(asked, &by), &by).await?;
            self.made(&repository, id).await
        };
        self.front.write(span, request, answer).await
    }

    async fn list_merge_conflicts(
        &self,
        request: Request<proto::ListMergeConflictsRequest>,
    ) -> Result<Response<Self::ListMergeConflictsStream>, Status> {
        let span = span!("grpc.commit.list_merge_conflicts", request.get_ref().repository);
        let open = |asked: wire::ListMergeConflicts| async move {
            let destination = RefExpression::parse(asked.destination.as_str())?;
            let conflicts =
                self.catalog.merge_conflicts(&asked.repository, &asked.source, &destination).await?;
            let conflicts = items_of(conflicts, async |mut conflicts| {
                Ok(conflicts.next().await?.map(|conflict| (conflict, conflicts)))
            });
            Ok(conflicts.map_ok(convert::conflict))
        };
        self.front.stream(span, request, open).await
    }

    async fn revert(&self, request: Request<proto::RevertRequest>) -> Answer<proto::Commit> {
        let span = span!("grpc.commit.revert", request.get_ref().repository);
        let answer = |asked: wire::Revert, by: Mutation| async move {
            let repository = asked.repository.clone();
            let id = self.catalog.revert(&repository, &convert::revert(asked, &by), &by).await?;
            self.made(&repository, id).await
        };
        self.front.write(span, request, answer).await
    }

    async fn cherry_pick(&self, request: Request<proto::CherryPickRequest>) -> Answer<proto::Commit> {
        let span = span!("grpc.commit.cherry_pick", request.get_ref().repository);
        let answer = |asked: wire::CherryPick, by: Mutation| async move {
            let repository = asked.repository.clone();
            let id = self.catalog.cherry_pick(&repository, &convert::cherry_pick(asked, &by), &by).await?;
            self.made(&repository, id).await
        };
        self.front.write(span, request, answer).await
    }

    async fn commit_set(
        &self,
        request: Request<proto::CommitSetRequest>,
    ) -> Answer<proto::CommitSetResponse> {
        let span = span!("grpc.commit.commit_set", first_repository(request.get_ref()));
        let answer = |asked: wire::CommitSet, by: Mutation| async move {
            let members = asked.members.into_iter().map(|member| convert::set_member(member, &by));
            let members: Vec<SetMember> = members.collect();
            let made = self.catalog.commit_set(&members, &by).await?;
            let mut commits = Vec::with_capacity(made.len());
            for (member, id) in members.iter().zip(made) {
                commits.push(self.made(&member.repository, id).await?);
            }
            Ok(commits)
        };
        self.front.write(span, request, answer).await
    }
}

impl Core {
    async fn page_of_diff(&self, asked: wire::ListDiff) -> Result<wire::Page<wire::DiffItem>, Error> {
        let diff = DiffRequest {
            left: asked.left,
            right: asked.right,
            mode: convert::diff_mode(asked.mode),
            query: convert::diff_query(asked.prefix, asked.delimiter, asked.after),
        };
        let request = convert::page_request(asked.page_size, asked.page_token);
        let (catalog, repository, diff) = (&self.catalog, &asked.repository, &diff);
        let read = |request| async move {
            let page = catalog.list_diff(repository, diff, &request).await?;
            convert::page(page, |changed| Ok(convert::diff_item(changed)))
        };
        light_page(request, read).await
    }

    /// A commit that was made just now.
    async fn made(&self, repository: &RepositoryName, id: CommitId) -> Result<wire::CommitInfo, Error> {
        let reference = RefExpression::parse(&id.to_hex())?;
        let (id, commit) =
            self.catalog.commit_at(repository, &reference).await.map_err(Error::that_may_have_happened)?;
        Ok(convert::commit(id, &commit))
    }
}

/// The repository of a set's first member.
fn first_repository(set: &proto::CommitSetRequest) -> &str {
    use proto::commit_set_member::Member;
    let first = set.members.first().and_then(|member| member.member.as_ref());
    first.map_or("", |member| match member {
        Member::Commit(commit) => &commit.repository,
        Member::Merge(merge) => &merge.repository,
        Member::HardReset(reset) => &reset.repository,
        Member::Tag(tag) => &tag.repository,
    })
}

fn items(differences: Differences) -> impl Stream<Item = Result<wire::DiffItem, Error>> + Send {
    items_of(differences, async |mut differences| {
        Ok(differences.next().await?.map(|changed| (convert::diff_item(changed), differences)))
    })
}
