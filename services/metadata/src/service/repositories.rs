//! Repositories.

use braid_catalog::{CreateRepository, FsckRequest, Mutation};
use braid_types::{BranchName, Error, IdentityHasher, RepositoryName};
use braid_wire::proto::repository_service_server::RepositoryService;
use braid_wire::{self as wire, proto};
use tonic::{Request, Response, Status, async_trait};

use super::Core;
use crate::convert;
use crate::front::{Answer, span};
use crate::namespaces::{canonical, parse};
use crate::refs_dump;
use crate::stream::{Answers, items_of};

/// The first branch of a repository that was given none.
const DEFAULT_BRANCH: &str = "main";

#[async_trait]
impl RepositoryService for Core {
    type FsckStream = Answers<proto::FsckResponse>;
    type DumpRefsStream = Answers<proto::DumpRefsResponse>;
    type RestoreRefsStream = Answers<proto::RestoreRefsResponse>;

    async fn create_repository(
        &self,
        request: Request<proto::CreateRepositoryRequest>,
    ) -> Answer<proto::Repository> {
        let span = span!("grpc.repository.create_repository", request.get_ref().name);
        let answer = |asked: wire::CreateRepository, by: Mutation| async move {
            let create = CreateRepository {
                storage_namespace: self.storage_namespace(&asked, &by)?,
                name: asked.name,
                default_branch: asked.default_branch.map_or_else(|| BranchName::new(DEFAULT_BRANCH), Ok)?,
            };
            Ok(convert::repository(self.catalog.create_repository(create, &by).await?))
        };
        self.front.write(span, request, answer).await
    }

    async fn get_repository(
        &self,
        request: Request<proto::GetRepositoryRequest>,
    ) -> Answer<proto::Repository> {
        let span = span!("grpc.repository.get_repository", request.get_ref().repository);
        let answer = |asked: wire::GetRepository| async move {
            Ok(convert::repository(self.catalog.repository(&asked.repository).await?))
        };
        self.front.read(span, request, answer).await
    }

    async fn list_repositories(
        &self,
        request: Request<proto::ListRepositoriesRequest>,
    ) -> Answer<proto::ListRepositoriesResponse> {
        let answer = |asked: wire::ListRepositories| async move {
            let page = convert::page_request(asked.page_size, asked.page_token);
            let names = convert::names(&asked.prefix, asked.after.as_deref());
            let page = self.catalog.list_repositories(names, &page).await?;
            convert::page(page, |record| Ok(convert::repository(record)))
        };
        self.front.read(span!("grpc.repository.list_repositories"), request, answer).await
    }

    async fn delete_repository(
        &self,
        request: Request<proto::DeleteRepositoryRequest>,
    ) -> Answer<proto::DeleteRepositoryResponse> {
        let span = span!("grpc.repository.delete_repository", request.get_ref().repository);
        let answer = |asked: wire::DeleteRepository, by: Mutation| async move {
            self.catalog.delete_repository(&asked.repository, &by).await?;
            Ok(proto::DeleteRepositoryResponse {})
        };
        self.front.write(span, request, answer).await
    }

    async fn fsck(&self, request: Request<proto::FsckRequest>) -> Result<Response<Self::FsckStream>, Status> {
        let span = span!("grpc.repository.fsck", request.get_ref().repository);
        let open = |asked: wire::Fsck| async move {
            let check = FsckRequest { reference: asked.reference, history: asked.history };
            let fsck = self.catalog.fsck(&asked.repository, &check).await?;
            Ok(items_of(fsck, async |mut fsck| {
                let event = fsck.next().await?;
                Ok(event.map(|event| (convert::fsck_event(event, fsck.storage_namespace()), fsck)))
            }))
        };
        self.front.stream(span, request, open).await
    }

    async fn dump_refs(
        &self,
        request: Request<proto::DumpRefsRequest>,
    ) -> Result<Response<Self::DumpRefsStream>, Status> {
        let span = span!("grpc.repository.dump_refs", request.get_ref().repository);
        let open = |asked: wire::DumpRefs| async move {
            let dump = self.catalog.dump(&asked.repository).await?;
            Ok(items_of(dump, async |mut dump| {
                let event = dump.next().await?;
                Ok(event.map(|event| (refs_dump::dump_event(event, dump.storage_namespace()), dump)))
            }))
        };
        self.front.stream(span, request, open).await
    }

    async fn restore_refs(
        &self,
        request: Request<proto::RestoreRefsRequest>,
    ) -> Result<Response<Self::RestoreRefsStream>, Status> {
        let span = span!("grpc.repository.restore_refs", request.get_ref().repository);
        let open = |asked: wire::RestoreRefs, by: Mutation| async move {
            let restore = self.catalog.restore(refs_dump::restore_request(asked)?, &by).await?;
            Ok(items_of(restore, async |mut restore| {
                let event = restore.next().await?;
                Ok(event.map(|event| (refs_dump::restore_event(event), restore)))
            }))
        };
        self.front.write_telling(span, request, open).await
    }
}

impl Core {
    /// The namespace that was asked for, or one of the repository's own.
    fn storage_namespace(&self, asked: &wire::CreateRepository, by: &Mutation) -> Result<String, Error> {
        match &asked.storage_namespace {
            Some(namespace) => Ok(canonical(&parse(namespace)?)),
            None => Ok(format!("{}{}-{}", self.default_prefix, asked.name, suffix(&asked.name, by))),
        }
    }
}

/// Tells apart the namespaces of repositories that have the same name one after the other. It is the same for every try
/// of one request: a retry must ask for what the first try asked for.
fn suffix(name: &RepositoryName, by: &Mutation) -> String {
    let parts = [name.as_str(), &by.principal, by.request.as_str()];
    hex::encode(&IdentityHasher::new().string("default namespace").strings(&parts).finish()[..4])
}
