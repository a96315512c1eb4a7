//! Repositories.

use braid_client::Repository;
use serde::Serialize;
use utoipa::ToSchema;

use super::Listed;

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Repository)]
pub(crate) struct RepositoryView {
    pub(crate) id: String,
    storage_id: &'static str,
    creation_date: i64,
    default_branch: String,
    storage_namespace: String,
    read_only: bool,
}

/// A page of repositories.
pub(crate) type RepositoryList = Listed<RepositoryView>;

impl From<Repository> for RepositoryView {
    fn from(repository: Repository) -> Self {
        Self {
            id: repository.name.to_string(),
            storage_id: "",
            creation_date: repository.created_at.seconds,
            default_branch: repository.default_branch.to_string(),
            storage_namespace: repository.storage_namespace,
            read_only: repository.read_only,
        }
    }
}
