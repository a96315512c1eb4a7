//! Entries that are staged for data that is there already.

use braid_catalog::{
    Applied, ApplyOperation, ApplyRequest, BranchAddress, Condition, CopySource, Mutation, StagedOperation,
};
use braid_types::{BranchName, Error, RepositoryName};
use braid_wire::{Copy, CopyObject, Object, SetObjectMetadata};

use crate::service::Core;
use crate::uploads::{staged, write_condition};

impl Core {
    /// Stages at one path what another one shows. Both share the data, which says when it was written.
    pub(crate) async fn copy(&self, asked: CopyObject, by: &Mutation) -> Result<Object, Error> {
        let CopyObject { repository, reference, source, branch, path, metadata, .. } = asked;
        let copy = Copy {
            reference: Some(reference),
            source,
            path,
            metadata,
            if_absent: asked.if_absent,
            if_etag: asked.if_etag,
            if_generation: asked.if_generation,
        };
        self.restage(repository, branch, copying(copy)?, by).await
    }

    /// Gives an object other metadata: it is copied to where it is.
    pub(crate) async fn set_metadata(
        &self,
        asked: SetObjectMetadata,
        by: &Mutation,
    ) -> Result<Object, Error> {
        let copy = StagedOperation::Copy {
            source: CopySource { reference: None, path: asked.path.clone() },
            path: asked.path,
            metadata: Some(asked.metadata),
            condition: Condition::Always,
        };
        self.restage(asked.repository, asked.branch, copy, by).await
    }

    async fn restage(
        &self,
        repository: RepositoryName,
        branch: BranchName,
        copy: StagedOperation,
        by: &Mutation,
    ) -> Result<Object, Error> {
        let record = self.writable(&repository).await?;
        // The address of the entry may be relative to this repository: one of the same name will not do.
        let repository_id = Some(record.id);
        let operation =
            ApplyOperation { at: BranchAddress { repository, branch }, repository_id, operation: copy };
        let request = ApplyRequest { preconditions: Vec::new(), operations: vec![operation.clone()] };
        let applied = self.catalog.apply(&request, by).await?.remove(0);
        let object = answered(operation.operation, &applied, &record.storage_namespace);
        Ok(object.expect("what was copied is an object"))
    }
}

/// The operation that makes a copy.
pub(crate) fn copying(asked: Copy) -> Result<StagedOperation, Error> {
    let Copy { reference, source, path, metadata, if_absent, if_etag, if_generation } = asked;
    let condition = write_condition(&path, if_absent, if_etag.as_deref(), if_generation)?;
    let source = CopySource { reference, path: source };
    let metadata = metadata.map(|metadata| metadata.entries);
    Ok(StagedOperation::Copy { source, path, metadata, condition })
}

/// The object that an operation put, in a repository with this storage namespace.
pub(crate) fn answered(operation: StagedOperation, applied: &Applied, namespace: &str) -> Option<Object> {
    match (operation, applied) {
        (StagedOperation::Copy { path, .. }, Applied::Copied(entry)) => {
            Some(Object::resolved(path, entry.clone(), namespace))
        }
        (operation, _) => staged(operation, namespace),
    }
}
