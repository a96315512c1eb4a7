//! Calls about what can be set of a repository.

use std::collections::BTreeMap;

use braid_types::{Error, RepositoryName};
use braid_wire::{
    BranchProtection, DeleteRetention, GetBranchProtection, GetRepositoryMetadata, GetRetention, Repository,
    RepositoryMetadata, Retention, SetBranchProtection, SetReadOnly, SetRetention, UpdateRepositoryMetadata,
    proto,
};

use crate::call::{answer, done};
use crate::client::Client;

impl Client {
    /// Says whether anything in a repository can be changed.
    pub async fn set_read_only(
        &self,
        repository: &RepositoryName,
        read_only: bool,
    ) -> Result<Repository, Error> {
        let request = SetReadOnly { repository: repository.clone(), read_only };
        let call = |request| async { self.settings_service().set_read_only(request).await };
        done(self.mutate(proto::SetReadOnlyRequest::from(request), call).await?)
    }

    /// A repository's metadata.
    pub async fn get_repository_metadata(
        &self,
        repository: &RepositoryName,
    ) -> Result<BTreeMap<String, String>, Error> {
        let request = GetRepositoryMetadata { repository: repository.clone() };
        let call = |request| async { self.settings_service().get_repository_metadata(request).await };
        let found = self.read(proto::GetRepositoryMetadataRequest::from(request), call).await?;
        answer(found).map(|RepositoryMetadata { metadata }| metadata)
    }

    /// Sets some keys of a repository's metadata and removes others; all of it as it is then.
    ///
    /// # Errors
    /// `limit_exceeded`.
    pub async fn update_repository_metadata(
        &self,
        request: UpdateRepositoryMetadata,
    ) -> Result<BTreeMap<String, String>, Error> {
        let call = |request| async { self.settings_service().update_repository_metadata(request).await };
        let made = self.mutate(proto::UpdateRepositoryMetadataRequest::from(request), call).await?;
        done(made).map(|RepositoryMetadata { metadata }| metadata)
    }

    /// Which branches take no direct changes.
    pub async fn get_branch_protection(
        &self,
        repository: &RepositoryName,
    ) -> Result<BranchProtection, Error> {
        let request = GetBranchProtection { repository: repository.clone() };
        let call = |request| async { self.settings_service().get_branch_protection(request).await };
        answer(self.read(proto::GetBranchProtectionRequest::from(request), call).await?)
    }

    /// Replaces the rules that protect branches.
    ///
    /// # Errors
    /// `precondition_failed`, `invalid_argument`, `limit_exceeded`.
    pub async fn set_branch_protection(
        &self,
        request: SetBranchProtection,
    ) -> Result<BranchProtection, Error> {
        let call = |request| async { self.settings_service().set_branch_protection(request).await };
        done(self.mutate(proto::SetBranchProtectionRequest::from(request), call).await?)
    }

    /// For how long commits are kept that no branch needs.
    ///
    /// # Errors
    /// `setting_not_found` if that was never set.
    pub async fn get_retention(&self, repository: &RepositoryName) -> Result<Retention, Error> {
        let request = GetRetention { repository: repository.clone() };
        let call = |request| async { self.settings_service().get_retention(request).await };
        answer(self.read(proto::GetRetentionRequest::from(request), call).await?)
    }

    /// Sets for how long commits are kept.
    ///
    /// # Errors
    /// `limit_exceeded`.
    pub async fn set_retention(
        &self,
        repository: &RepositoryName,
        retention: Retention,
    ) -> Result<Retention, Error> {
        let request = SetRetention { repository: repository.clone(), retention };
        let call = |request| async { self.settings_service().set_retention(request).await };
        done(self.mutate(proto::SetRetentionRequest::from(request), call).await?)
    }

    /// Forgets for how long commits are kept.
    pub async fn delete_retention(&self, repository: &RepositoryName) -> Result<(), Error> {
        let request = DeleteRetention { repository: repository.clone() };
        let call = |request| async { self.settings_service().delete_retention(request).await };
        self.mutate(proto::DeleteRetentionRequest::from(request), call).await?;
        Ok(())
    }
}
