//! Calls about branches, tags and ref expressions.

use braid_types::{BranchName, Error, RefExpression, RepositoryName, TagName};
use braid_wire::{
    Branch, CreateBranch, CreateTag, DeleteBranch, DeleteTag, FindMergeBase, GetBranch, GetTag, ListBranches,
    ListTags, MergeBase, Page, ResetBranch, ResetScope, ResolveRef, ResolvedRef, Tag, proto,
};

use crate::call::{Entries, answer, done};
use crate::client::Client;

impl Client {
    /// Makes a branch at a commit.
    ///
    /// # Errors
    /// `branch_exists`, `ref_name_taken`, `ref_not_found`.
    pub async fn create_branch(&self, request: CreateBranch) -> Result<Branch, Error> {
        let call = |request| async { self.ref_service().create_branch(request).await };
        done(self.mutate(proto::CreateBranchRequest::from(request), call).await?)
    }

    /// One branch.
    ///
    /// # Errors
    /// `branch_not_found`, as all calls that name a branch.
    pub async fn get_branch(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
    ) -> Result<Branch, Error> {
        let request = GetBranch { repository: repository.clone(), branch: branch.clone() };
        let call = |request| async { self.ref_service().get_branch(request).await };
        answer(self.read(proto::GetBranchRequest::from(request), call).await?)
    }

    /// A page of branches, by name.
    pub async fn list_branches(&self, request: ListBranches) -> Result<Page<Branch>, Error> {
        let call = |request| async { self.ref_service().list_branches(request).await };
        answer(self.read(proto::ListBranchesRequest::from(request), call).await?)
    }

    /// All branches whose names begin with `prefix`, by name.
    pub fn branches(&self, repository: &RepositoryName, prefix: &str) -> Entries<Branch> {
        let (repository, prefix) = (repository.clone(), prefix.to_owned());
        self.pages(move |client, page_token| {
            let (repository, prefix) = (repository.clone(), prefix.clone());
            let request = ListBranches {
                repository,
                prefix,
                page_size: None,
                page_token,
                after: None,
                include_hidden: false,
            };
            async move { client.list_branches(request).await }
        })
    }

    /// Deletes a branch with its uncommitted changes.
    ///
    /// # Errors
    /// `default_branch`.
    pub async fn delete_branch(&self, repository: &RepositoryName, branch: &BranchName) -> Result<(), Error> {
        let request = DeleteBranch { repository: repository.clone(), branch: branch.clone() };
        let call = |request| async { self.ref_service().delete_branch(request).await };
        self.mutate(proto::DeleteBranchRequest::from(request), call).await?;
        Ok(())
    }

    /// Drops uncommitted changes of a branch.
    pub async fn reset_branch(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        scope: ResetScope,
    ) -> Result<Branch, Error> {
        let request = ResetBranch { repository: repository.clone(), branch: branch.clone(), scope };
        let call = |request| async { self.ref_service().reset_branch(request).await };
        done(self.mutate(proto::ResetBranchRequest::from(request), call).await?)
    }

    /// Makes a tag at a commit.
    ///
    /// # Errors
    /// `tag_exists`, `ref_name_taken`, `ref_not_found`.
    pub async fn create_tag(&self, request: CreateTag) -> Result<Tag, Error> {
        let call = |request| async { self.ref_service().create_tag(request).await };
        done(self.mutate(proto::CreateTagRequest::from(request), call).await?)
    }

    /// One tag.
    ///
    /// # Errors
    /// `tag_not_found`.
    pub async fn get_tag(&self, repository: &RepositoryName, tag: &TagName) -> Result<Tag, Error> {
        let request = GetTag { repository: repository.clone(), tag: tag.clone() };
        let call = |request| async { self.ref_service().get_tag(request).await };
        answer(self.read(proto::GetTagRequest::from(request), call).await?)
    }

    /// A page of tags, by name.
    pub async fn list_tags(&self, request: ListTags) -> Result<Page<Tag>, Error> {
        let call = |request| async { self.ref_service().list_tags(request).await };
        answer(self.read(proto::ListTagsRequest::from(request), call).await?)
    }

    /// All tags whose names begin with `prefix`, by name.
    pub fn tags(&self, repository: &RepositoryName, prefix: &str) -> Entries<Tag> {
        let (repository, prefix) = (repository.clone(), prefix.to_owned());
        self.pages(move |client, page_token| {
            let (repository, prefix) = (repository.clone(), prefix.clone());
            let request = ListTags { repository, prefix, page_size: None, page_token, after: None };
            async move { client.list_tags(request).await }
        })
    }

    /// Deletes a tag.
    ///
    /// # Errors
    /// `tag_not_found`.
    pub async fn delete_tag(&self, repository: &RepositoryName, tag: &TagName) -> Result<(), Error> {
        let request = DeleteTag { repository: repository.clone(), tag: tag.clone() };
        let call = |request| async { self.ref_service().delete_tag(request).await };
        self.mutate(proto::DeleteTagRequest::from(request), call).await?;
        Ok(())
    }

    /// Which commit a ref expression names, and through what.
    ///
    /// # Errors
    /// `ref_not_found`, `ambiguous_ref`, as all calls that take an expression.
    pub async fn resolve_ref(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
    ) -> Result<ResolvedRef, Error> {
        let request = ResolveRef { repository: repository.clone(), reference: reference.clone() };
        let call = |request| async { self.ref_service().resolve_ref(request).await };
        answer(self.read(proto::ResolveRefRequest::from(request), call).await?)
    }

    /// A best common ancestor of two commits.
    ///
    /// # Errors
    /// `no_merge_base`.
    pub async fn find_merge_base(
        &self,
        repository: &RepositoryName,
        left: &RefExpression,
        right: &RefExpression,
    ) -> Result<MergeBase, Error> {
        let (left, right) = (left.clone(), right.clone());
        let request = FindMergeBase { repository: repository.clone(), left, right };
        let call = |request| async { self.ref_service().find_merge_base(request).await };
        answer(self.read(proto::FindMergeBaseRequest::from(request), call).await?)
    }
}
