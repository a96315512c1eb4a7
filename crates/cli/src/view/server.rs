//! The server and its caller.

use std::fmt;

use braid_client::{Identity, ServerInfo};
use serde::Serialize;

use crate::text::{Plain, Size};

/// As whom the server takes its caller.
#[derive(Serialize)]
pub(crate) struct IdentityView {
    user: String,
    access_key_id: String,
}

impl From<Identity> for IdentityView {
    fn from(identity: Identity) -> Self {
        Self { user: identity.user, access_key_id: identity.access_key_id }
    }
}

impl fmt::Display for IdentityView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (access key {})", Plain(&self.user), Plain(&self.access_key_id))
    }
}

/// A server.
#[derive(Serialize)]
pub(crate) struct ServerView {
    version: String,
    storage_kind: String,
    limits: LimitsView,
}

#[derive(Serialize)]
struct LimitsView {
    path_bytes: u64,
    entry_metadata_bytes: u64,
    commit_metadata_bytes: u64,
    commit_message_bytes: u64,
    transaction_operations: u64,
    page_items: u64,
    upload_bytes: u64,
}

impl From<ServerInfo> for ServerView {
    fn from(info: ServerInfo) -> Self {
        let limits = info.limits;
        let limits = LimitsView {
            path_bytes: limits.path_bytes,
            entry_metadata_bytes: limits.entry_metadata_bytes,
            commit_metadata_bytes: limits.commit_metadata_bytes,
            commit_message_bytes: limits.commit_message_bytes,
            transaction_operations: limits.transaction_operations,
            page_items: limits.page_items,
            upload_bytes: limits.upload_bytes,
        };
        Self { version: info.version, storage_kind: info.storage_kind, limits }
    }
}

impl fmt::Display for ServerView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = &self.limits;
        writeln!(f, "version:                {}", Plain(&self.version))?;
        writeln!(f, "storage:                {}", Plain(&self.storage_kind))?;
        writeln!(f, "longest path:           {}", Size(limits.path_bytes))?;
        writeln!(f, "metadata of an object:  {}", Size(limits.entry_metadata_bytes))?;
        writeln!(f, "metadata of a commit:   {}", Size(limits.commit_metadata_bytes))?;
        writeln!(f, "commit message:         {}", Size(limits.commit_message_bytes))?;
        writeln!(f, "one transaction:        {} operations", limits.transaction_operations)?;
        writeln!(f, "one page:               {} items", limits.page_items)?;
        write!(f, "one upload:             {}", Size(limits.upload_bytes))
    }
}
