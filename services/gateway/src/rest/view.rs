//! Answers as lakeFS's clients read them: strict about types, and about fields that must be there.

mod commit;
mod diff;
mod object;
mod page;
mod pull;
mod reference;
mod repository;

pub(crate) use commit::CommitView;
pub(crate) use diff::DiffView;
pub(crate) use object::{ObjectStats, Shown, content_type};
pub(crate) use page::Listed;
pub(crate) use pull::PullView;
pub(crate) use reference::RefView;
pub(crate) use repository::RepositoryView;
