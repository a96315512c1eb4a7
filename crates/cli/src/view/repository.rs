//! Repositories.

use std::fmt;

use braid_client::Repository;
use serde::Serialize;

use crate::text::Plain;

/// A repository, in full.
#[derive(Serialize)]
pub(crate) struct RepositoryView {
    name: String,
    id: String,
    storage_namespace: String,
    default_branch: String,
    created_at: String,
    read_only: bool,
}

impl From<Repository> for RepositoryView {
    fn from(repository: Repository) -> Self {
        Self {
            name: repository.name.to_string(),
            id: repository.id.to_hex(),
            storage_namespace: repository.storage_namespace,
            default_branch: repository.default_branch.to_string(),
            created_at: repository.created_at.to_string(),
            read_only: repository.read_only,
        }
    }
}

impl fmt::Display for RepositoryView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "name:           {}", self.name)?;
        writeln!(f, "id:             {}", self.id)?;
        writeln!(f, "storage:        {}", Plain(&self.storage_namespace))?;
        writeln!(f, "default branch: {}", self.default_branch)?;
        write!(f, "created:        {}", self.created_at)?;
        if self.read_only { write!(f, "\nread-only") } else { Ok(()) }
    }
}

/// A repository on a line.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct RepositoryLine(RepositoryView);

impl From<Repository> for RepositoryLine {
    fn from(repository: Repository) -> Self {
        Self(repository.into())
    }
}

impl fmt::Display for RepositoryLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<24}  {}", self.0.name, Plain(&self.0.storage_namespace))
    }
}
