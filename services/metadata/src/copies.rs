//! Entries that are staged for data that is there already.

use braid_catalog::{Condition, Mutation, RepositoryRecord, StagedOperation};
use braid_types::{BranchName, Code, Entry, Error, ObjectPath, RefExpression};
use braid_wire::{CopyObject, Object, SetObjectMetadata};

use crate::service::Core;

impl Core {
    /// Stages at one path what another one shows. Both share the data, which says when it was written.
    pub(crate) async fn copy(&self, asked: CopyObject, by: &Mutation) -> Result<Object, Error> {
        // Read before the source: an entry of a later repository of that name is refused with this one.
        let repository = self.writable(&asked.repository).await?;
        let source = self.catalog.stat(&asked.repository, &asked.reference, &asked.source).await?;
        let condition = if asked.if_absent { Condition::IfAbsent } else { Condition::Always };
        self.restage(&repository, &asked.branch, asked.path, source.entry, condition, by).await
    }

    /// Stages an object again with other metadata, if it is still the one that was seen.
    pub(crate) async fn set_metadata(
        &self,
        asked: SetObjectMetadata,
        by: &Mutation,
    ) -> Result<Object, Error> {
        let repository = self.writable(&asked.repository).await?;
        let reference = RefExpression::parse(asked.branch.as_str())?;
        // A tag of that name must not be taken for the branch.
        self.catalog.branch(&asked.repository, &asked.branch).await?;
        let found = self.catalog.stat(&asked.repository, &reference, &asked.path).await?;
        let condition = Condition::IfEtag(found.entry.checksum.clone());
        let entry = Entry { metadata: asked.metadata, ..found.entry };
        let staged = self.restage(&repository, &asked.branch, asked.path, entry, condition, by).await;
        staged.map_err(|error| match error.code() {
            Code::PreconditionFailed => Error::new(Code::Conflict, error.subject(), error.message()),
            _ => error,
        })
    }

    async fn restage(
        &self,
        repository: &RepositoryRecord,
        branch: &BranchName,
        path: ObjectPath,
        entry: Entry,
        condition: Condition,
        by: &Mutation,
    ) -> Result<Object, Error> {
        entry.check(path.as_str())?;
        let object = Object::resolved(path.clone(), entry.clone(), &repository.storage_namespace);
        let operation = StagedOperation::Put { path, entry, condition };
        self.catalog.stage_in(repository, branch, &[operation], by).await?;
        Ok(object)
    }
}
