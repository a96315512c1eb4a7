//! Branches, tags and what ref expressions name.

use braid_catalog::{Mutation, Names};
use braid_types::Error;
use braid_wire::proto::ref_service_server::RefService;
use braid_wire::{self as wire, proto};
use tonic::{Request, async_trait};

use super::Core;
use crate::convert;
use crate::front::{Answer, span};

#[async_trait]
impl RefService for Core {
    async fn create_branch(&self, request: Request<proto::CreateBranchRequest>) -> Answer<proto::Branch> {
        let span = span!("grpc.ref.create_branch", request.get_ref().repository);
        let answer = |asked: wire::CreateBranch, by: Mutation| async move {
            let made = self
                .catalog
                .make_branch(&asked.repository, &asked.name, &asked.source, asked.hidden, &by)
                .await?;
            Ok(convert::branch(made))
        };
        self.front.write(span, request, answer).await
    }

    async fn get_branch(&self, request: Request<proto::GetBranchRequest>) -> Answer<proto::Branch> {
        let span = span!("grpc.ref.get_branch", request.get_ref().repository);
        let answer = |asked: wire::GetBranch| async move {
            Ok(convert::branch(self.catalog.branch(&asked.repository, &asked.branch).await?))
        };
        self.front.read(span, request, answer).await
    }

    async fn list_branches(
        &self,
        request: Request<proto::ListBranchesRequest>,
    ) -> Answer<proto::ListBranchesResponse> {
        let span = span!("grpc.ref.list_branches", request.get_ref().repository);
        let answer = |asked: wire::ListBranches| async move {
            let page = convert::page_request(asked.page_size, asked.page_token);
            let names = convert::names(&asked.prefix, asked.after.as_deref());
            let names = Names { hidden: asked.include_hidden, ..names };
            let page = self.catalog.list_branches(&asked.repository, names, &page).await?;
            convert::page(page, |info| Ok(convert::branch(info)))
        };
        self.front.read(span, request, answer).await
    }

    async fn delete_branch(
        &self,
        request: Request<proto::DeleteBranchRequest>,
    ) -> Answer<proto::DeleteBranchResponse> {
        let span = span!("grpc.ref.delete_branch", request.get_ref().repository);
        let answer = |asked: wire::DeleteBranch, by: Mutation| async move {
            self.catalog.delete_branch(&asked.repository, &asked.branch, &by).await?;
            Ok(proto::DeleteBranchResponse {})
        };
        self.front.write(span, request, answer).await
    }

    async fn reset_branch(&self, request: Request<proto::ResetBranchRequest>) -> Answer<proto::Branch> {
        let span = span!("grpc.ref.reset_branch", request.get_ref().repository);
        let answer = |asked: wire::ResetBranch, by: Mutation| async move {
            let scope = convert::reset_scope(asked.scope);
            self.catalog.reset(&asked.repository, &asked.branch, &scope, &by).await?;
            let branch = self.catalog.branch(&asked.repository, &asked.branch).await;
            branch.map(convert::branch).map_err(Error::that_may_have_happened)
        };
        self.front.write(span, request, answer).await
    }

    async fn create_tag(&self, request: Request<proto::CreateTagRequest>) -> Answer<proto::Tag> {
        let span = span!("grpc.ref.create_tag", request.get_ref().repository);
        let answer = |asked: wire::CreateTag, by: Mutation| async move {
            let made = self.catalog.create_tag(&asked.repository, &asked.name, &asked.reference, &by).await?;
            Ok(convert::tag(made))
        };
        self.front.write(span, request, answer).await
    }

    async fn get_tag(&self, request: Request<proto::GetTagRequest>) -> Answer<proto::Tag> {
        let span = span!("grpc.ref.get_tag", request.get_ref().repository);
        let answer = |asked: wire::GetTag| async move {
            Ok(convert::tag(self.catalog.tag(&asked.repository, &asked.tag).await?))
        };
        self.front.read(span, request, answer).await
    }

    async fn list_tags(&self, request: Request<proto::ListTagsRequest>) -> Answer<proto::ListTagsResponse> {
        let span = span!("grpc.ref.list_tags", request.get_ref().repository);
        let answer = |asked: wire::ListTags| async move {
            let page = convert::page_request(asked.page_size, asked.page_token);
            let names = convert::names(&asked.prefix, asked.after.as_deref());
            let page = self.catalog.list_tags(&asked.repository, names, &page).await?;
            convert::page(page, |info| Ok(convert::tag(info)))
        };
        self.front.read(span, request, answer).await
    }

    async fn delete_tag(
        &self,
        request: Request<proto::DeleteTagRequest>,
    ) -> Answer<proto::DeleteTagResponse> {
        let span = span!("grpc.ref.delete_tag", request.get_ref().repository);
        let answer = |asked: wire::DeleteTag, by: Mutation| async move {
            self.catalog.delete_tag(&asked.repository, &asked.tag, &by).await?;
            Ok(proto::DeleteTagResponse {})
        };
        self.front.write(span, request, answer).await
    }

    async fn resolve_ref(&self, request: Request<proto::ResolveRefRequest>) -> Answer<proto::ResolvedRef> {
        let span = span!("grpc.ref.resolve_ref", request.get_ref().repository);
        let answer = |asked: wire::ResolveRef| async move {
            let found = self.catalog.resolve_ref(&asked.repository, &asked.reference).await?;
            Ok(wire::ResolvedRef { commit_id: found.commit, kind: convert::ref_kind(found.kind) })
        };
        self.front.read(span, request, answer).await
    }

    async fn find_merge_base(
        &self,
        request: Request<proto::FindMergeBaseRequest>,
    ) -> Answer<proto::MergeBase> {
        let span = span!("grpc.ref.find_merge_base", request.get_ref().repository);
        let answer = |asked: wire::FindMergeBase| async move {
            let found = self.catalog.merge_base(&asked.repository, &asked.left, &asked.right).await?;
            let (left_commit_id, right_commit_id, base_commit_id) = found;
            Ok(wire::MergeBase { left_commit_id, right_commit_id, base_commit_id })
        };
        self.front.read(span, request, answer).await
    }
}
