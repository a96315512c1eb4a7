//! Records as they are stored: never from memory.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_types::{Commit, CommitId, Result};

use crate::catalog::{Catalog, load_repository, no_repository};
use crate::record::{self, RepositoryRecord};

/// Where the records of a repository are read.
pub(super) struct Records {
    pub(super) catalog: Catalog,
    pub(super) repository: RepositoryRecord,
}

/// What is stored of a commit.
pub(super) enum Stored {
    Sound(Commit),
    Damaged(String),
    Missing,
}

impl Records {
    /// Reads the record of a commit, from the store and not from memory.
    ///
    /// # Errors
    /// `repository_not_found` if the commit is gone because the repository is.
    pub(super) async fn commit(&self, snapshot: &Arc<dyn Snapshot>, id: &CommitId) -> Result<Stored> {
        let Some(bytes) = snapshot.get(&record::commit::key(&self.repository.id, id)).await? else {
            let now = load_repository(snapshot, &self.repository.name).await?;
            if now.id != self.repository.id {
                return Err(no_repository(&self.repository.name));
            }
            return Ok(Stored::Missing);
        };
        match record::commit::decode(id, &bytes) {
            Ok(commit) => Ok(Stored::Sound(commit)),
            // Also a record of a format that this version does not know: its first byte may be what is damaged.
            Err(error) => Ok(Stored::Damaged(error.message().to_owned())),
        }
    }
}
