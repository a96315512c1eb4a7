//! What a server says of itself and of its caller.

use braid_types::limits;

use crate::field::message;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// Its version.
    pub version: String,
    /// What keeps the objects: `s3`, `local` or `memory`.
    pub storage_kind: String,
    /// What it holds callers to.
    pub limits: Limits,
}

/// Limits that a server holds callers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest path that may be written, in bytes.
    pub path_bytes: u64,
    /// User metadata of one object, in bytes.
    pub entry_metadata_bytes: u64,
    /// Metadata of one commit, in bytes.
    pub commit_metadata_bytes: u64,
    /// Longest commit message, in bytes.
    pub commit_message_bytes: u64,
    /// Most operations in one transaction.
    pub transaction_operations: u64,
    /// Most items on one page, and most uploads created in one call.
    pub page_items: u64,
    /// Largest object that one presigned PUT takes, in bytes.
    pub upload_bytes: u64,
}

impl Limits {
    /// The limits of this version, with a store that takes `upload_bytes` in one PUT.
    pub fn current(upload_bytes: u64) -> Self {
        Self {
            path_bytes: limits::PATH_BYTES as u64,
            entry_metadata_bytes: limits::ENTRY_METADATA_BYTES as u64,
            commit_metadata_bytes: limits::COMMIT_METADATA_BYTES as u64,
            commit_message_bytes: limits::COMMIT_MESSAGE_BYTES as u64,
            transaction_operations: limits::TRANSACTION_OPERATIONS as u64,
            page_items: limits::PAGE_ITEMS as u64,
            upload_bytes,
        }
    }
}

/// As whom a caller is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's name.
    pub user: String,
    /// The access key the call was made with.
    pub access_key_id: String,
}

message!(ServerInfo = ServerInfo { version, storage_kind, limits: required });
message!(
    Limits = Limits {
        path_bytes,
        entry_metadata_bytes,
        commit_metadata_bytes,
        commit_message_bytes,
        transaction_operations,
        page_items,
        upload_bytes,
    }
);
message!(Identity = Identity { user, access_key_id });
