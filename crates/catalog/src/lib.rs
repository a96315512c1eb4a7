//! The core: repositories, refs, the commit graph, staging, layers and every operation on them.
//!
//! A [`Catalog`] decides what happens to refs and staged entries, and makes it happen in transactions of a key-value
//! store. It knows trees ([`braid_tree`]) and nothing of object stores, gRPC or HTTP. Any number of catalogs may work
//! on one store: all they keep in memory can be lost.

mod catalog;
mod commits;
mod draft;
mod graph;
mod hints;
mod hooks;
mod lease;
mod mutation;
mod operation;
mod page;
mod protection;
mod record;
mod refs_dump;
mod resolve;
mod storage;
mod tall;
#[cfg(test)]
mod tests;
mod view;

pub use braid_tree::{DifferenceKind, FileId, Strategy, Usage};
pub use catalog::{Catalog, Components, Settings};
pub use hooks::{Hook, HookEvent, HookedChange};
pub use mutation::Mutation;
pub use operation::apply::{ApplyOperation, ApplyRequest, Precondition};
pub use operation::branches::BranchInfo;
pub use operation::clean_up::CleanUpReport;
pub use operation::commit::CommitRequest;
pub use operation::commit_set::{SetAction, SetMember};
pub use operation::commit_tree::CommitTree;
pub use operation::diff::{DiffMode, DiffRequest};
pub use operation::differences::{Changed, DiffQuery, Differences, PrefixChanges, Side};
pub use operation::du::{DirectoryUsages, PrefixUsage};
pub use operation::dump::{Dump, DumpEvent, Dumped, RefsProgress};
pub use operation::fsck::{FaultPlace, Fsck, FsckEvent, FsckFault, FsckProgress, FsckRequest};
pub use operation::import::{ImportRequest, ImportStore, Importable};
pub use operation::list_objects::{ListRequest, Listing, ObjectCursor};
pub use operation::log::{History, LogRequest};
pub use operation::merge::{MergeConflict, MergeConflicts, MergeRequest};
pub use operation::move_objects::MoveDirectory;
pub use operation::pick::PickRequest;
pub use operation::pulls::{CreatePull, MergePull, PullFilter, UpdatePull};
pub use operation::repositories::CreateRepository;
pub use operation::reset::ResetScope;
pub use operation::restore::{CreateOver, Restore, RestoreEvent, RestoreRequest, Restored};
pub use operation::stage::{Applied, BranchAddress, Condition, CopySource, StagedChange, StagedOperation};
pub use operation::tags::TagInfo;
pub use operation::uploads::ListUploads;
pub use page::{Names, Page, PageRequest};
pub use protection::{Protection, Touch};
pub use record::setting::RetentionRules;
pub use record::{
    BranchRecord, CompletedUpload, ImportCommit, ImportRecord, ImportSource, ImportState, Layer, OpenLayer,
    PullRecord, PullState, RepositoryRecord, RepositoryState, SealedLayer, UploadPlace, UploadRecord,
};
pub use refs_dump::RefsManifest;
pub use resolve::{RefKind, Resolved};
pub use storage::Storage;
pub use view::Object;
