//! What can be set of a repository.

use braid_catalog::{Mutation, Protection};
use braid_wire::proto::settings_service_server::SettingsService;
use braid_wire::{self as wire, proto};
use tonic::{Request, async_trait};

use super::Core;
use crate::convert;
use crate::front::{Answer, span};

#[async_trait]
impl SettingsService for Core {
    async fn set_read_only(&self, request: Request<proto::SetReadOnlyRequest>) -> Answer<proto::Repository> {
        let span = span!("grpc.settings.set_read_only", request.get_ref().repository);
        let answer = |asked: wire::SetReadOnly, by: Mutation| async move {
            let record = self.catalog.set_read_only(&asked.repository, asked.read_only, &by).await?;
            Ok(convert::repository(record))
        };
        self.front.write(span, request, answer).await
    }

    async fn get_repository_metadata(
        &self,
        request: Request<proto::GetRepositoryMetadataRequest>,
    ) -> Answer<proto::RepositoryMetadata> {
        let span = span!("grpc.settings.get_repository_metadata", request.get_ref().repository);
        let answer = |asked: wire::GetRepositoryMetadata| async move {
            let metadata = self.catalog.repository_metadata(&asked.repository).await?;
            Ok(wire::RepositoryMetadata { metadata })
        };
        self.front.read(span, request, answer).await
    }

    async fn update_repository_metadata(
        &self,
        request: Request<proto::UpdateRepositoryMetadataRequest>,
    ) -> Answer<proto::RepositoryMetadata> {
        let span = span!("grpc.settings.update_repository_metadata", request.get_ref().repository);
        let answer = |asked: wire::UpdateRepositoryMetadata, by: Mutation| async move {
            let (repository, set, remove) = (&asked.repository, &asked.set, &asked.remove);
            let metadata = self.catalog.update_repository_metadata(repository, set, remove, &by).await?;
            Ok(wire::RepositoryMetadata { metadata })
        };
        self.front.write(span, request, answer).await
    }

    async fn get_branch_protection(
        &self,
        request: Request<proto::GetBranchProtectionRequest>,
    ) -> Answer<proto::BranchProtection> {
        let span = span!("grpc.settings.get_branch_protection", request.get_ref().repository);
        let answer = |asked: wire::GetBranchProtection| async move {
            Ok(shown(&self.catalog.repository(&asked.repository).await?.protection))
        };
        self.front.read(span, request, answer).await
    }

    async fn set_branch_protection(
        &self,
        request: Request<proto::SetBranchProtectionRequest>,
    ) -> Answer<proto::BranchProtection> {
        let span = span!("grpc.settings.set_branch_protection", request.get_ref().repository);
        let answer = |asked: wire::SetBranchProtection, by: Mutation| async move {
            let protection = Protection::new(asked.patterns)?;
            let expected = asked.if_revision.as_deref();
            self.catalog.set_branch_protection(&asked.repository, &protection, expected, &by).await?;
            Ok(shown(&protection))
        };
        self.front.write(span, request, answer).await
    }

    async fn get_retention(&self, request: Request<proto::GetRetentionRequest>) -> Answer<proto::Retention> {
        let span = span!("grpc.settings.get_retention", request.get_ref().repository);
        let answer = |asked: wire::GetRetention| async move {
            Ok(convert::retention(self.catalog.retention(&asked.repository).await?))
        };
        self.front.read(span, request, answer).await
    }

    async fn set_retention(&self, request: Request<proto::SetRetentionRequest>) -> Answer<proto::Retention> {
        let span = span!("grpc.settings.set_retention", request.get_ref().repository);
        let answer = |asked: wire::SetRetention, by: Mutation| async move {
            let rules = convert::retention_rules(&asked.retention);
            self.catalog.set_retention(&asked.repository, Some(&rules), &by).await?;
            Ok(asked.retention)
        };
        self.front.write(span, request, answer).await
    }

    async fn delete_retention(
        &self,
        request: Request<proto::DeleteRetentionRequest>,
    ) -> Answer<proto::DeleteRetentionResponse> {
        let span = span!("grpc.settings.delete_retention", request.get_ref().repository);
        let answer = |asked: wire::DeleteRetention, by: Mutation| async move {
            self.catalog.set_retention(&asked.repository, None, &by).await?;
            Ok(proto::DeleteRetentionResponse {})
        };
        self.front.write(span, request, answer).await
    }
}

fn shown(protection: &Protection) -> wire::BranchProtection {
    wire::BranchProtection { revision: protection.revision(), patterns: protection.patterns().to_vec() }
}
