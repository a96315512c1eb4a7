//! Answers as lakeFS's clients read them: strict about types, and about fields that must be there.

mod commit;
mod diff;
mod key;
mod merge;
mod object;
mod page;
mod pull;
mod reference;
mod repository;

pub(crate) use commit::{CommitList, CommitView};
pub(crate) use diff::{DiffList, DiffView};
pub(crate) use key::{KeyList, KeyView, NewKeyView};
pub(crate) use merge::MergeResult;
pub(crate) use object::{ObjectList, ObjectStats, Shown, content_type};
pub(crate) use page::Listed;
pub(crate) use pull::{PullList, PullView};
pub(crate) use reference::{RefList, RefView};
pub(crate) use repository::{RepositoryList, RepositoryView};
