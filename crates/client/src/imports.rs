//! Calls about imports of objects that are already in a bucket.

use braid_types::{Error, ImportId, RepositoryName};
use braid_wire::{CancelImport, GetImport, Import, ListImports, Page, StartImport, proto};

use crate::call::{Entries, answer, done};
use crate::client::Client;

impl Client {
    /// Begins an import, which goes on in the background.
    ///
    /// # Errors
    /// `invalid_argument` if a source cannot be imported, `limit_exceeded`, `protected_branch`.
    pub async fn start_import(&self, request: StartImport) -> Result<Import, Error> {
        let call = |request| async { self.import_service().start_import(request).await };
        done(self.mutate(proto::StartImportRequest::from(request), call).await?)
    }

    /// An import as it is now.
    ///
    /// # Errors
    /// `import_not_found`.
    pub async fn get_import(&self, repository: &RepositoryName, id: ImportId) -> Result<Import, Error> {
        let request = GetImport { repository: repository.clone(), id };
        let call = |request| async { self.import_service().get_import(request).await };
        answer(self.read(proto::GetImportRequest::from(request), call).await?)
    }

    /// A page of a repository's imports.
    pub async fn list_imports(&self, request: ListImports) -> Result<Page<Import>, Error> {
        let call = |request| async { self.import_service().list_imports(request).await };
        answer(self.read(proto::ListImportsRequest::from(request), call).await?)
    }

    /// All imports of a repository that are not long over, in the order of their ids.
    pub fn imports(&self, repository: &RepositoryName) -> Entries<Import> {
        let repository = repository.clone();
        self.pages(move |client, page_token| {
            let request = ListImports { repository: repository.clone(), page_size: None, page_token };
            async move { client.list_imports(request).await }
        })
    }

    /// Ends an import before it changes anything.
    ///
    /// # Errors
    /// `import_over` if it has finished or failed, `import_not_found`.
    pub async fn cancel_import(&self, repository: &RepositoryName, id: ImportId) -> Result<Import, Error> {
        let request = CancelImport { repository: repository.clone(), id };
        let call = |request| async { self.import_service().cancel_import(request).await };
        done(self.mutate(proto::CancelImportRequest::from(request), call).await?)
    }
}
