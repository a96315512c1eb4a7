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
mod settings;
mod transfer;
mod transport;

#[cfg(test)]
mod tests;

pub use braid_wire::{
    Apply, ApplyOperation, ApplyResult, Branch, BranchProtection, BranchRetention, CherryPick, CommitBranch, CommitInfo, CommitSet, CopyObject, CreateBranch, CreateRepository, CreateTag, Diff, DiffBranch, DiffEntry, DiffItem, DiffKind, DiffMode, Download, DumpEvent, DumpRefs, DumpedRefs, FaultSubject, Fsck, FsckEvent, FsckFault, FsckProgress, GetUsage, HardResetBranch, Identity, Limits, Link, ListBranches, ListDiff, ListItem, ListMergeConflicts, ListObjects, ListRepositories, ListTags, Log, Merge, MergeBase, MergeConflict, MergeStrategy, Object, Operation, Page, Precondition, PrefixChanges, PrefixUsage, RefKind, RefsManifest, RefsProgress, Removal, Repository, ResetScope, ResolvedRef, RestoreEvent, RestoreRefs, RestoredRefs, Retention, Revert, Rule, ServerInfo, SetBranchProtection, SetMember, StreamDownloads, StreamObjects, StreamUsage, Tag, UpdateRepositoryMetadata, Upload, UploadTarget, Usage,
};
pub use call::Entries;
pub use client::Client;
pub use config::{ClientConfig, Timeouts, TlsOptions};
pub use credentials::Credentials;
pub use retry::RetryPolicy;
pub use transfer::{Body, Progress, TransferError, UploadOptions};
