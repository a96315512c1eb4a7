//! Moving objects and directories, and deleting everything under a prefix.

use braid_types::{BranchName, ObjectPath, PathPrefix, RepositoryName};

use crate::field::message;

/// Deletes everything under a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletePrefix {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// What the paths begin with.
    pub prefix: PathPrefix,
}

/// Moves one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveObject {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// Its path.
    pub source: ObjectPath,
    /// Its new path.
    pub destination: ObjectPath,
    /// Lose an object that is there.
    pub overwrite: bool,
}

/// Renames a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveDirectory {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// Its name, with a slash at the end.
    pub source: PathPrefix,
    /// Its new name, with a slash at the end.
    pub destination: PathPrefix,
    /// Lose what is there.
    pub overwrite: bool,
}

message!(DeletePrefix = DeletePrefixRequest { repository, branch, prefix } mutation);
message!(MoveObject = MoveObjectRequest { repository, branch, source, destination, overwrite } mutation);
message!(MoveDirectory = MoveDirectoryRequest { repository, branch, source, destination, overwrite } mutation);
