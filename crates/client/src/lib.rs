//! Braid's Rust client: typed calls over gRPC, and data straight to and from the object store.

mod auth;
mod call;
mod channel;
mod client;
mod commits;
mod config;
mod credentials;
mod direct;
mod gather;
mod imports;
mod multipart;
mod nodes;
mod objects;
mod pulls;
mod references;
mod repositories;
mod request_ids;
mod resume;
mod retry;
mod rotation;
mod server;
mod settings;
mod transfer;
mod transport;

#[cfg(test)]
mod tests;

pub use braid_wire::{
    AccessKey, AccessKeys, Apply, ApplyOperation, ApplyResult, Branch, BranchProtection, BranchRetention,
    CherryPick, CommitBranch, CommitInfo, CommitSet, CommitTree, CompleteMultipartUpload, CompletedPart,
    Copy, CopyObject, CreateBranch, CreateMultipartUpload, CreatePullRequest, CreateRepository, CreateTag,
    DeletePrefix, Diff, DiffBranch, DiffEntry, DiffItem, DiffKind, DiffMode, Download, DumpEvent, DumpRefs,
    DumpedRefs, FaultSubject, Fsck, FsckEvent, FsckFault, FsckProgress, GetUsage, HardResetBranch, Identity,
    Import, ImportCommit, ImportSource, ImportSourceKind, ImportStatus, Limits, Link, LinkObject,
    ListAccessKeys, ListBranches, ListDiff, ListImports, ListItem, ListMergeConflicts, ListMultipartUploads,
    ListObjects, ListParts, ListPullRequests, ListRepositories, ListTags, ListUsers, Log, Merge, MergeBase,
    MergeConflict, MergePullRequest, MergeStrategy, MoveDirectory, MoveObject, MultipartUpload,
    MultipartUploads, NewAccessKey, Object, ObjectMetadata, Operation, Page, Part, PartTarget, PartUpload,
    Parts, Precondition, PrefixChanges, PrefixUsage, PullRequest, PullRequestFilter, PullRequestStatus,
    RefKind, RefsManifest, RefsProgress, Removal, Repository, ResetScope, ResolvedRef, RestoreEvent,
    RestoreRefs, RestoredRefs, Retention, Revert, Rule, ServerInfo, SetBranchProtection, SetMember,
    StartImport, StreamDownloads, StreamObjects, StreamUsage, Tag, UpdatePullRequest,
    UpdateRepositoryMetadata, Upload, UploadAddress, UploadTarget, Usage, User, Users,
};
pub use call::Entries;
pub use client::Client;
pub use config::{ClientConfig, Timeouts, TlsOptions};
pub use credentials::Credentials;
pub use resume::resumed;
pub use retry::RetryPolicy;
pub use transfer::{Body, IN_PARTS_ABOVE, Progress, SentParts, TransferError, UploadOptions};
