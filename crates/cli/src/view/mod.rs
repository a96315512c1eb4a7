//! Results as they are shown: as JSON by the names of the gRPC contract, as text for people.

mod change;
mod commit;
mod conflict;
mod fsck;
mod import;
mod object;
mod protection;
mod pull;
mod reference;
mod refs_dump;
mod repository;
mod server;
mod usage;
mod user;

pub(crate) use change::{ChangeView, SummaryView};
pub(crate) use commit::{CommitLine, CommitView};
pub(crate) use conflict::ConflictView;
pub(crate) use fsck::{FaultView, FsckSummary};
pub(crate) use import::ImportView;
pub(crate) use object::{ListLine, ObjectJson, ObjectView};
pub(crate) use protection::ProtectionView;
pub(crate) use pull::{PullLine, PullView};
pub(crate) use reference::{DeletedView, MergeBaseView, RefLine, RefView};
pub(crate) use refs_dump::{DumpView, RefsProgressView, RestoreView};
pub(crate) use repository::{RepositoryLine, RepositoryView};
pub(crate) use server::{IdentityView, ServerView};
pub(crate) use usage::UsageLine;
pub(crate) use user::{KeyLine, NewKeyView, UserLine};
