//! Imports of objects that are already in a bucket.

use std::collections::BTreeMap;

use braid_types::{BranchName, CommitId, ImportId, MetarangeId, RepositoryName, Time};

use crate::field::{enumeration, message};
use crate::page::page;

/// What a source of an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportSourceKind {
    /// All objects whose addresses begin with the URI, and the directory that they become.
    Prefix,
    /// One object, and its path.
    Object,
}

/// What is imported, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSource {
    /// What it is.
    pub kind: ImportSourceKind,
    /// Where it is: `s3://bucket/…`.
    pub uri: String,
    /// A directory with a slash at the end, everything, or a path.
    pub destination: String,
}

/// The commit that an import is to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportCommit {
    /// What to say of it.
    pub message: String,
    /// Keys and values to go with it.
    pub metadata: BTreeMap<String, String>,
}

/// Imports objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartImport {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// What goes where.
    pub sources: Vec<ImportSource>,
    /// The commit to make; without one what is imported stays uncommitted.
    pub commit: Option<ImportCommit>,
}

/// Asks for an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetImport {
    /// Where.
    pub repository: RepositoryName,
    /// Which.
    pub id: ImportId,
}

/// Asks for a page of imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListImports {
    /// Where.
    pub repository: RepositoryName,
    /// Most items on the page.
    pub page_size: Option<u32>,
    /// What the page before gave; none for the first page.
    pub page_token: Option<String>,
}

/// Ends an import before it changes anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelImport {
    /// Where.
    pub repository: RepositoryName,
    /// Which.
    pub id: ImportId,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImportStatus {
    /// It goes on.
    Running,
    /// The branch has what was imported.
    Finished,
    /// It ended without a change.
    Failed,
    /// It was ended before it changed anything.
    Cancelled,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// The branch.
    pub branch: BranchName,
    /// How far it is.
    pub status: ImportStatus,
    /// How many objects were found so far.
    pub objects: u64,
    /// Who asked for it.
    pub started_by: String,
    /// When that was.
    pub started_at: Time,
    /// When anything was last heard of it.
    pub updated_at: Time,
    /// The tree of the imported objects; none if there were none, and before it has finished.
    pub metarange_id: Option<MetarangeId>,
    /// The commit that was made, if one was asked for.
    pub commit_id: Option<CommitId>,
    /// The name of the error with which it failed.
    pub error_code: Option<String>,
    /// What that says.
    pub error_message: Option<String>,
}

enumeration!(ImportSourceKind = ImportSourceKind { Prefix => Prefix, Object => Object });
enumeration!(
    ImportStatus = ImportStatus {
        Running => Running,
        Finished => Finished,
        Failed => Failed,
        Cancelled => Cancelled,
    }
);
message!(ImportSource = ImportSource { kind, uri, destination });
message!(ImportCommit = ImportCommit { message, metadata });
message!(StartImport = StartImportRequest { repository, branch, sources, commit: optional } mutation);
message!(GetImport = GetImportRequest { repository, id });
message!(ListImports = ListImportsRequest { repository, page_size, page_token });
message!(CancelImport = CancelImportRequest { repository, id } mutation);
message!(
    Import = Import {
        id,
        branch,
        status,
        objects,
        started_by,
        started_at: required,
        updated_at: required,
        metarange_id,
        commit_id,
        error_code,
        error_message,
    }
);
page!(Import = ListImportsResponse.imports);
