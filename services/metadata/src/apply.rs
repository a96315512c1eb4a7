//! Apply: uploads, deletes and copies on several branches, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use braid_catalog::{
    Applied, ApplyOperation, ApplyRequest, BranchAddress, Condition, Mutation, Precondition,
    RepositoryRecord, StagedOperation,
};
use braid_types::{Error, RepositoryId, RepositoryName, limits};
use braid_wire::{self as wire, ApplyResult, Operation, Rule};
use futures::{StreamExt, TryStreamExt, stream};

use crate::copies::{answered, copying};
use crate::namespaces::Namespace;
use crate::service::Core;
use crate::uploads::{Checked, PARALLEL_HEADS, check_count, uploaded, write_condition};

/// A repository that objects are put in.
struct Opened {
    record: RepositoryRecord,
    namespace: Arc<Namespace>,
}

/// The repositories that objects are put in, by name.
type Repositories = BTreeMap<RepositoryName, Arc<Opened>>;

/// An operation of which everything was checked but what the object store holds; one that asks nothing of it is ready, in exactly
/// this repository if one is named.
enum Known {
    Put(Arc<Opened>, Checked),
    Ready(StagedOperation, Option<RepositoryId>),
}

impl Core {
    /// Carries out all of it or nothing; answers in the order of the operations.
    pub(crate) async fn apply_all(
        &self,
        asked: wire::Apply,
        by: &Mutation,
    ) -> Result<Vec<ApplyResult>, Error> {
        check_count("operations", asked.operations.len(), limits::TRANSACTION_OPERATIONS)?;
        let opened = self.open_repositories(&asked.operations).await?;
        let mut known = Vec::with_capacity(asked.operations.len());
        for operation in asked.operations {
            known.push(self.check_operation(operation, &opened)?);
        }
        let operations: Vec<ApplyOperation> = stream::iter(known)
            .map(|(at, known)| look(at, known))
            .buffered(PARALLEL_HEADS)
            .try_collect()
            .await?;
        let preconditions = asked.preconditions.into_iter().map(precondition).collect();
        let request = ApplyRequest { preconditions, operations };
        let applied = self.catalog.apply(&request, by).await?;
        let results = request.operations.into_iter().zip(applied);
        Ok(results.map(|(operation, applied)| result(operation, &applied, &opened)).collect())
    }

    /// The repositories that objects are put in, each looked up once.
    async fn open_repositories(&self, operations: &[wire::ApplyOperation]) -> Result<Repositories, Error> {
        let mut opened = BTreeMap::new();
        for asked in operations {
            if !matches!(asked.operation, Operation::Delete(_)) && !opened.contains_key(&asked.repository) {
                let record = self.writable(&asked.repository).await?;
                let namespace = self.namespaces.open(&record.storage_namespace)?;
                opened.insert(asked.repository.clone(), Arc::new(Opened { record, namespace }));
            }
        }
        Ok(opened)
    }

    fn check_operation(
        &self,
        asked: wire::ApplyOperation,
        opened: &Repositories,
    ) -> Result<(BranchAddress, Known), Error> {
        let known = match asked.operation {
            Operation::Put(link) => {
                let opened = Arc::clone(&opened[&asked.repository]);
                let checked = self.check_link(&opened.record, &asked.branch, link)?;
                Known::Put(opened, checked)
            }
            Operation::Delete(wire::Removal { path, if_etag, if_generation }) => {
                let condition = write_condition(&path, false, if_etag.as_deref(), if_generation)?;
                Known::Ready(StagedOperation::Delete { path, condition }, None)
            }
            Operation::Copy(copy) => Known::Ready(copying(copy)?, Some(opened[&asked.repository].record.id)),
        };
        Ok((BranchAddress { repository: asked.repository, branch: asked.branch }, known))
    }
}

/// Looks at what was uploaded, if it is an upload.
async fn look(at: BranchAddress, known: Known) -> Result<ApplyOperation, Error> {
    match known {
        Known::Put(opened, checked) => {
            let operation = uploaded(Arc::clone(&opened.namespace.store), checked).await?;
            Ok(ApplyOperation { at, repository_id: Some(opened.record.id), operation })
        }
        Known::Ready(operation, repository_id) => Ok(ApplyOperation { at, repository_id, operation }),
    }
}

fn precondition(asked: wire::Precondition) -> Precondition {
    let condition = match asked.rule {
        Rule::Absent => Condition::IfAbsent,
        Rule::Etag(etag) => Condition::IfEtag(etag),
        Rule::Generation(generation) => Condition::IfGeneration(generation),
    };
    let at = BranchAddress { repository: asked.repository, branch: asked.branch };
    Precondition { at, path: asked.path, condition }
}

fn result(done: ApplyOperation, applied: &Applied, opened: &Repositories) -> ApplyResult {
    let namespace = opened.get(&done.at.repository).map(|opened| &*opened.record.storage_namespace);
    match answered(done.operation, applied, namespace.unwrap_or_default()) {
        Some(object) => ApplyResult::Put(object),
        None => ApplyResult::Deleted(*applied != Applied::Missing),
    }
}
