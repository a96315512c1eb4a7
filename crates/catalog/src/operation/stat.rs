//! Point reads: objects, commits, refs.

use std::sync::Arc;

use braid_kv::{Snapshot, snapshot_ahead};
use braid_types::{Code, Commit, CommitId, Error, ObjectPath, RefExpression, RepositoryName, Result};

use crate::catalog::{Catalog, load_repository};
use crate::commits::RepositoryCommits;
use crate::graph::Commits;
use crate::record::RepositoryRecord;
use crate::resolve::{Resolved, resolve};
use crate::view::{Object, Reads, View};

impl Catalog {
    /// The object at `path`, in the branch with its staged entries or in a commit.
    pub async fn stat(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        path: &ObjectPath,
    ) -> Result<Object> {
        let mut snapshot = self.snapshot().await?;
        if let Some(keys) = self.hints().reads(repository, reference, path) {
            snapshot = snapshot_ahead(snapshot, &keys).await?;
        }
        let repository = load_repository(&snapshot, repository).await?;
        let view = self.view(&snapshot, &repository, reference).await?;
        let found = view.get(&snapshot, path.as_bytes()).await?;
        let record = found.ok_or_else(|| {
            let message =
                format!("there is no object '{path}' at '{reference}' of repository '{}'", repository.name);
            Error::new(Code::ObjectNotFound, path.as_str(), message)
        })?;
        Object::from_record(&record, &repository.storage_namespace)
    }

    /// The commit that `reference` names, and its id.
    pub async fn commit_at(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
    ) -> Result<(CommitId, Arc<Commit>)> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let id = resolve(self, &snapshot, &repository, reference).await?.committed(reference)?.commit;
        Ok((id, self.load_commit(&snapshot, &repository, &id).await?))
    }

    /// What `reference` names.
    pub async fn resolve_ref(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
    ) -> Result<Resolved> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        resolve(self, &snapshot, &repository, reference).await
    }

    pub(crate) async fn load_commit(
        &self,
        reads: &dyn Reads,
        repository: &RepositoryRecord,
        id: &CommitId,
    ) -> Result<Arc<Commit>> {
        RepositoryCommits::new(self, reads, repository.id).commit(id).await
    }

    /// What an object read at `reference` sees.
    pub(crate) async fn view(
        &self,
        snapshot: &Arc<dyn Snapshot>,
        repository: &RepositoryRecord,
        reference: &RefExpression,
    ) -> Result<View> {
        let resolved = resolve(self, snapshot, repository, reference).await?;
        if let Some((name, branch)) = &resolved.branch {
            self.hints().note(repository, name, branch);
        }
        let ranges = self.ranges(repository).await?;
        match resolved.staged_branch() {
            Some(branch) => Ok(View::staged(branch, ranges)),
            None => {
                let commit = self.load_commit(snapshot, repository, &resolved.commit).await?;
                Ok(View::committed(commit.metarange, ranges))
            }
        }
    }
}
