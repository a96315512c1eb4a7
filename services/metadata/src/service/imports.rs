//! Imports of objects that are already in a bucket.

use braid_catalog::{ImportCommit, ImportRecord, ImportRequest, ImportSource, ImportState, Mutation};
use braid_types::{Error, ObjectPath, PathPrefix};
use braid_wire::proto::import_service_server::ImportService;
use braid_wire::{self as wire, ImportStatus, proto};
use tonic::{Request, async_trait};

use super::Core;
use crate::convert;
use crate::front::{Answer, span};

#[async_trait]
impl ImportService for Core {
    async fn start_import(&self, request: Request<proto::StartImportRequest>) -> Answer<proto::Import> {
        let span = span!("grpc.import.start_import", request.get_ref().repository);
        let answer = |asked: wire::StartImport, by: Mutation| async move {
            let sources = asked.sources.into_iter().map(source).collect::<Result<_, _>>()?;
            let commit = asked.commit.map(|commit| ImportCommit {
                committer: by.principal.clone(),
                message: commit.message,
                metadata: commit.metadata,
            });
            let import = ImportRequest { branch: asked.branch, sources, commit };
            let store = self.imports.store();
            let id = self.catalog.start_import(&asked.repository, &import, store, &by).await?;
            let stop = self.front.stops().draining.clone();
            self.imports.spawn(asked.repository.clone(), id, stop);
            Ok(shown(self.catalog.import(&asked.repository, id).await?))
        };
        self.front.write(span, request, answer).await
    }

    async fn get_import(&self, request: Request<proto::GetImportRequest>) -> Answer<proto::Import> {
        let span = span!("grpc.import.get_import", request.get_ref().repository);
        let answer = |asked: wire::GetImport| async move {
            Ok(shown(self.catalog.import(&asked.repository, asked.id).await?))
        };
        self.front.read(span, request, answer).await
    }

    async fn list_imports(
        &self,
        request: Request<proto::ListImportsRequest>,
    ) -> Answer<proto::ListImportsResponse> {
        let span = span!("grpc.import.list_imports", request.get_ref().repository);
        let answer = |asked: wire::ListImports| async move {
            let page = convert::page_request(asked.page_size, asked.page_token);
            let page = self.catalog.list_imports(&asked.repository, &page).await?;
            convert::page(page, |record| Ok(shown(record)))
        };
        self.front.read(span, request, answer).await
    }

    async fn cancel_import(&self, request: Request<proto::CancelImportRequest>) -> Answer<proto::Import> {
        let span = span!("grpc.import.cancel_import", request.get_ref().repository);
        let answer = |asked: wire::CancelImport, _: Mutation| async move {
            self.catalog.cancel_import(&asked.repository, asked.id).await?;
            Ok(shown(self.catalog.import(&asked.repository, asked.id).await?))
        };
        self.front.write(span, request, answer).await
    }
}

fn source(source: wire::ImportSource) -> Result<ImportSource, Error> {
    let wire::ImportSource { kind, uri, destination } = source;
    Ok(match kind {
        wire::ImportSourceKind::Prefix => {
            ImportSource::Prefix { uri, destination: PathPrefix::new(destination)? }
        }
        wire::ImportSourceKind::Object => {
            ImportSource::Object { uri, destination: ObjectPath::new(destination)? }
        }
    })
}

fn shown(record: ImportRecord) -> wire::Import {
    let mut shown = wire::Import {
        id: record.id,
        branch: record.branch,
        status: ImportStatus::Running,
        objects: record.objects,
        started_by: record.by.principal,
        started_at: record.started,
        updated_at: record.updated,
        metarange_id: None,
        commit_id: None,
        error_code: None,
        error_message: None,
    };
    match record.state {
        ImportState::Running => {}
        ImportState::Cancelled => shown.status = ImportStatus::Cancelled,
        ImportState::Finished { tree, commit } => {
            (shown.status, shown.metarange_id, shown.commit_id) = (ImportStatus::Finished, tree, commit);
        }
        ImportState::Failed(error) => {
            shown.status = ImportStatus::Failed;
            shown.error_code = Some(error.code().name().to_owned());
            shown.error_message = Some(error.message().to_owned());
        }
    }
    shown
}
