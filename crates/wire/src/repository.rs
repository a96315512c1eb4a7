//! Repositories and the requests about them.

use braid_types::{BranchName, RepositoryId, RepositoryName, Time};

use crate::field::message;
use crate::page::page;

/// A repository as callers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its name.
    pub name: RepositoryName,
    /// Its own id, never used again.
    pub id: RepositoryId,
    /// Where its objects are kept: a URI.
    pub storage_namespace: String,
    /// The branch that cannot be deleted.
    pub default_branch: BranchName,
    /// When it was made.
    pub created_at: Time,
    /// Whether nothing in it can be changed.
    pub read_only: bool,
}

/// Makes a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRepository {
    /// Its name.
    pub name: RepositoryName,
    /// Where to keep its objects; the server chooses a place if it is not given.
    pub storage_namespace: Option<String>,
    /// Its first branch; `main` if it is not given.
    pub default_branch: Option<BranchName>,
}

/// Asks for one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetRepository {
    /// Its name.
    pub repository: RepositoryName,
}

/// Asks for a page of repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRepositories {
    /// Only names that begin with it.
    pub prefix: String,
    /// Most items on the page.
    pub page_size: Option<u32>,
    /// What the page before gave; none for the first page.
    pub page_token: Option<String>,
    /// Only names after it, on a first page.
    pub after: Option<String>,
}

/// Deletes a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteRepository {
    /// Its name.
    pub repository: RepositoryName,
}

message!(
    Repository = Repository { name, id, storage_namespace, default_branch, created_at: required, read_only }
);
message!(CreateRepository = CreateRepositoryRequest { name, storage_namespace, default_branch } mutation);
message!(GetRepository = GetRepositoryRequest { repository });
message!(ListRepositories = ListRepositoriesRequest { prefix, page_size, page_token, after });
message!(DeleteRepository = DeleteRepositoryRequest { repository } mutation);
page!(Repository = ListRepositoriesResponse.repositories);
