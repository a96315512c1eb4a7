//! Between the catalog's words and the contract's.

use std::sync::Arc;

use braid_catalog::{
    BranchInfo, DifferenceKind, Listing, PageRequest, RefKind, RepositoryRecord, RepositoryState, Side,
    Strategy, TagInfo,
};
use braid_types::{Commit, CommitId, Error, PathPrefix};
use braid_wire as wire;

pub(crate) fn page_request(size: Option<u32>, token: Option<String>) -> PageRequest {
    PageRequest { token: token.unwrap_or_default(), size: wire::page_items(size) }
}

pub(crate) fn page<T, U>(
    page: braid_catalog::Page<T>,
    item: impl Fn(T) -> Result<U, Error>,
) -> Result<wire::Page<U>, Error> {
    let items = page.items.into_iter().map(item).collect::<Result<_, _>>()?;
    Ok(wire::Page { items, next_page_token: Some(page.next_token).filter(|token| !token.is_empty()) })
}

pub(crate) fn repository(record: RepositoryRecord) -> wire::Repository {
    wire::Repository {
        name: record.name,
        id: record.id,
        storage_namespace: record.storage_namespace,
        default_branch: record.default_branch,
        created_at: record.created,
        read_only: record.state == RepositoryState::ReadOnly,
    }
}

pub(crate) fn branch(info: BranchInfo) -> wire::Branch {
    wire::Branch { name: info.name, commit_id: info.head }
}

pub(crate) fn tag(info: TagInfo) -> wire::Tag {
    wire::Tag { name: info.name, commit_id: info.commit }
}

pub(crate) fn ref_kind(kind: RefKind) -> wire::RefKind {
    match kind {
        RefKind::Branch => wire::RefKind::Branch,
        RefKind::Tag => wire::RefKind::Tag,
        RefKind::Commit => wire::RefKind::Commit,
    }
}

pub(crate) fn reset_scope(scope: wire::ResetScope) -> braid_catalog::ResetScope {
    match scope {
        wire::ResetScope::All => braid_catalog::ResetScope::All,
        wire::ResetScope::Path(path) => braid_catalog::ResetScope::Path(path),
        wire::ResetScope::Prefix(prefix) => braid_catalog::ResetScope::Prefix(prefix),
    }
}

pub(crate) fn commit(id: CommitId, commit: &Commit) -> wire::CommitInfo {
    wire::CommitInfo { id, commit: commit.clone() }
}

pub(crate) fn diff_mode(mode: wire::DiffMode) -> braid_catalog::DiffMode {
    match mode {
        wire::DiffMode::TwoDot => braid_catalog::DiffMode::TwoDot,
        wire::DiffMode::ThreeDot => braid_catalog::DiffMode::ThreeDot,
    }
}

pub(crate) fn strategy(strategy: wire::MergeStrategy) -> Strategy {
    match strategy {
        wire::MergeStrategy::Refuse => Strategy::Refuse,
        wire::MergeStrategy::SourceWins => Strategy::SourceWins,
        wire::MergeStrategy::DestinationWins => Strategy::DestWins,
    }
}

/// Turns what a repository holds into what callers see: addresses become whole.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    namespace: Arc<str>,
}

impl Objects {
    /// Of the repository with this storage namespace.
    pub(crate) fn of(namespace: &str) -> Self {
        Self { namespace: namespace.into() }
    }

    pub(crate) fn object(&self, object: braid_catalog::Object) -> wire::Object {
        wire::Object::resolved(object.path, object.entry, &self.namespace)
    }

    pub(crate) fn listing(&self, listing: Listing) -> Result<wire::ListItem, Error> {
        match listing {
            Listing::Object(object) => Ok(wire::ListItem::Object(self.object(object))),
            Listing::CommonPrefix(prefix) => PathPrefix::new(prefix).map(wire::ListItem::CommonPrefix),
        }
    }

    pub(crate) fn diff_entry(&self, side: Side) -> wire::DiffEntry {
        wire::DiffEntry {
            path: side.path,
            kind: match side.kind {
                DifferenceKind::Added => wire::DiffKind::Added,
                DifferenceKind::Removed => wire::DiffKind::Removed,
                DifferenceKind::Changed => wire::DiffKind::Changed,
            },
            left: side.left.map(|object| self.object(object)),
            right: side.right.map(|object| self.object(object)),
        }
    }

    pub(crate) fn conflict(&self, conflict: braid_catalog::MergeConflict) -> wire::MergeConflict {
        wire::MergeConflict {
            path: conflict.path,
            base: conflict.base.map(|object| self.object(object)),
            source: conflict.source.map(|object| self.object(object)),
            destination: conflict.destination.map(|object| self.object(object)),
        }
    }
}
