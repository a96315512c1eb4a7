//! Braid's Rust client: typed calls over gRPC, and data straight to and from the object store.

mod call;
mod channel;
mod client;
mod commits;
mod config;
mod credentials;
mod objects;
mod references;
mod repositories;
mod retry;
mod server;
mod transfer;

#[cfg(test)]
mod tests;

pub use braid_wire::{
    Apply, ApplyOperation, ApplyResult, Branch, CherryPick, CommitBranch, CommitInfo, CreateBranch,
    CreateRepository, CreateTag, DeletePrefix, Diff, DiffBranch, DiffEntry, DiffItem, DiffKind, DiffMode,
    Download, DumpEvent, DumpRefs, DumpedRefs, FaultSubject, Fsck, FsckEvent, FsckFault, FsckProgress,
    GetUsage, Identity, Limits, Link, ListBranches, ListDiff, ListItem, ListMergeConflicts, ListObjects,
    ListRepositories, ListTags, Log, Merge, MergeBase, MergeConflict, MergeStrategy, MoveDirectory,
    MoveObject, Object, Operation, Page, Precondition, PrefixChanges, PrefixUsage, RefKind, RefsManifest,
    RefsProgress, Removal, Repository, ResetScope, ResolvedRef, RestoreEvent, RestoreRefs, RestoredRefs,
    Revert, Rule, ServerInfo, StreamDownloads, StreamObjects, StreamUsage, Tag, Upload, UploadTarget, Usage,
};
pub use call::Entries;
pub use client::Client;
pub use config::{ClientConfig, Timeouts, TlsOptions};
pub use credentials::Credentials;
pub use retry::RetryPolicy;
pub use transfer::{Body, Progress, TransferError, UploadOptions};
