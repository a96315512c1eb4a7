//! Braid's gRPC contract: the generated code, the typed requests and answers, and the only conversions between them.

mod apply;
mod auth;
mod commit;
mod commit_set;
mod diff;
mod field;
mod fsck;
mod import;
mod link_each;
mod merge;
mod multipart;
mod mutation;
mod object;
mod page;
pub mod proto;
mod pull;
mod reference;
mod refs_dump;
mod repository;
mod server;
mod settings;
mod status;
mod structure;
mod transfer;
mod usage;

#[cfg(test)]
mod tests;

pub use apply::{Apply, ApplyOperation, ApplyResult, Copy, Operation, Precondition, Removal, Rule};
pub use auth::{
    AccessKey, AccessKeys, CreateAccessKey, CreateUser, DeleteAccessKey, DeleteUser, GetAccessKey, GetUser,
    ListAccessKeys, ListUsers, NewAccessKey, User, Users,
};
pub use commit::{CommitBranch, CommitInfo, CommitTree, GetCommit, Log};
pub use commit_set::{CommitSet, SetMember};
pub use diff::{Diff, DiffBranch, DiffEntry, DiffItem, DiffKind, DiffMode, ListDiff, PrefixChanges};
pub use fsck::{FaultSubject, Fsck, FsckEvent, FsckFault, FsckProgress};
pub use import::{
    CancelImport, GetImport, Import, ImportCommit, ImportSource, ImportSourceKind, ImportStatus, ListImports,
    StartImport,
};
pub use link_each::{LinkAnswer, encoded_link_bytes};
pub use merge::{CherryPick, ListMergeConflicts, Merge, MergeConflict, MergeStrategy, Revert};
pub use multipart::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, GetMultipartUpload,
    ListMultipartUploads, ListParts, MultipartUpload, MultipartUploads, Part, PartTarget, PartUpload, Parts,
    PresignParts, UploadAddress,
};
pub use mutation::Mutation;
pub use object::{
    CopyObject, DeleteObject, DeleteObjects, ListItem, ListObjects, Object, ObjectMetadata,
    SetObjectMetadata, StatObject, StreamObjects,
};
pub use page::{Page, page_items};
pub use pull::{
    CreatePullRequest, GetPullRequest, ListPullRequests, MergePullRequest, PullRequest, PullRequestFilter,
    PullRequestStatus, UpdatePullRequest,
};
pub use reference::{
    Branch, CreateBranch, CreateTag, DeleteBranch, DeleteTag, FindMergeBase, GetBranch, GetTag,
    HardResetBranch, ListBranches, ListTags, MergeBase, RefKind, ResetBranch, ResetScope, ResolveRef,
    ResolvedRef, Tag,
};
pub use refs_dump::{
    DumpEvent, DumpRefs, DumpedRefs, RefsManifest, RefsProgress, RestoreEvent, RestoreRefs, RestoredRefs,
};
pub use repository::{CreateRepository, DeleteRepository, GetRepository, ListRepositories, Repository};
pub use server::{Identity, Limits, ServerInfo};
pub use settings::{
    BranchProtection, BranchRetention, DeleteRetention, GetBranchProtection, GetRepositoryMetadata,
    GetRetention, RepositoryMetadata, Retention, SetBranchProtection, SetReadOnly, SetRetention,
    UpdateRepositoryMetadata,
};
pub use status::{Call, error_from_status, status_from_error};
pub use structure::{DeletePrefix, MoveDirectory, MoveObject};
pub use transfer::{
    CreateUpload, CreateUploads, Download, GetDownloadUrl, Link, LinkObject, LinkUpload, LinkUploads,
    StreamDownloads, Upload, UploadTarget,
};
pub use usage::{GetUsage, PrefixUsage, StreamUsage, Usage};
