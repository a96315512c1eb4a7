//! Between the catalog's words and the contract's.

use braid_catalog::{
    BranchInfo, Changed, CommitRequest, DiffQuery, DifferenceKind, FaultPlace, FileId, FsckEvent, FsckFault,
    Listing, MergeRequest, Mutation, Names, PageRequest, PickRequest, RefKind, RepositoryRecord,
    RepositoryState, RetentionRules, SetAction, SetMember, Side, Strategy, TagInfo, Usage,
};
use braid_types::{Commit, CommitId, Error, PathPrefix};
use braid_wire as wire;

pub(crate) fn page_request(size: Option<u32>, token: Option<String>) -> PageRequest {
    PageRequest { token: token.unwrap_or_default(), size: wire::page_items(size) }
}

/// Which names of a list are asked for.
pub(crate) fn names<'a>(prefix: &'a str, after: Option<&'a str>) -> Names<'a> {
    Names { prefix, after: after.unwrap_or_default(), hidden: false }
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
        storage_namespace: record.storage_namespace.to_string(),
        default_branch: record.default_branch,
        created_at: record.created,
        read_only: record.state == RepositoryState::ReadOnly,
    }
}

pub(crate) fn retention(rules: RetentionRules) -> wire::Retention {
    let own = |(branch, days)| wire::BranchRetention { branch, days };
    let branches = rules.branches.into_iter().map(own).collect();
    wire::Retention { default_days: rules.default_days, branches }
}

/// Rules as they are asked for; the last of several for one branch counts.
pub(crate) fn retention_rules(retention: &wire::Retention) -> RetentionRules {
    let branches = retention.branches.iter().map(|rule| (rule.branch.clone(), rule.days)).collect();
    RetentionRules { default_days: retention.default_days, branches }
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

/// An object as callers see it: its address is whole.
pub(crate) fn object(object: braid_catalog::Object) -> wire::Object {
    wire::Object::resolved(object.path, object.entry, &object.namespace)
}

pub(crate) fn listing(listing: Listing) -> Result<wire::ListItem, Error> {
    match listing {
        Listing::Object(found) => Ok(wire::ListItem::Object(object(found))),
        Listing::CommonPrefix(prefix) => PathPrefix::new(prefix).map(wire::ListItem::CommonPrefix),
    }
}

/// Which differences are asked for.
pub(crate) fn diff_query(
    prefix: PathPrefix,
    delimiter: Option<String>,
    after: Option<PathPrefix>,
) -> DiffQuery {
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    DiffQuery { prefix, delimiter: delimiter.unwrap_or_default(), after }
}

pub(crate) fn diff_item(changed: Changed) -> wire::DiffItem {
    match changed {
        Changed::Path(side) => wire::DiffItem::Entry(diff_entry(side)),
        Changed::CommonPrefix(changes) => wire::DiffItem::CommonPrefix(wire::PrefixChanges {
            prefix: changes.prefix,
            added: changes.added,
            removed: changes.removed,
            changed: changes.changed,
        }),
    }
}

/// What a check says of a repository with this storage namespace.
pub(crate) fn fsck_event(event: FsckEvent, namespace: &str) -> wire::FsckEvent {
    match event {
        FsckEvent::Fault(fault) => wire::FsckEvent::Fault(fsck_fault(fault, namespace)),
        FsckEvent::Progress(progress) => wire::FsckEvent::Progress(wire::FsckProgress {
            commits: progress.commits,
            trees: progress.trees,
            files: progress.files,
            files_total: progress.files_total,
            bytes: progress.bytes,
            entries: progress.entries,
            faults: progress.faults,
        }),
    }
}

fn fsck_fault(fault: FsckFault, namespace: &str) -> wire::FsckFault {
    let (kind, subject) = match fault.place {
        FaultPlace::File(file) => (wire::FaultSubject::File, tree_file(namespace, file)),
        FaultPlace::Commit(id) => (wire::FaultSubject::Commit, id.to_hex()),
        FaultPlace::Branch(name) => (wire::FaultSubject::Branch, name.to_string()),
        FaultPlace::Tag(name) => (wire::FaultSubject::Tag, name.to_string()),
    };
    wire::FsckFault { kind, subject, offset: fault.offset, what: fault.what }
}

/// Where a tree's file is: a whole URI. lakeFS has its files in the same place.
fn tree_file(namespace: &str, file: FileId) -> String {
    format!("{}/_lakefs/{}", namespace.trim_end_matches('/'), file.to_hex())
}

pub(crate) fn usage(usage: Usage) -> wire::Usage {
    wire::Usage { objects: usage.entries, bytes: usage.data_bytes }
}

fn diff_entry(side: Side) -> wire::DiffEntry {
    wire::DiffEntry {
        path: side.path,
        kind: match side.kind {
            DifferenceKind::Added => wire::DiffKind::Added,
            DifferenceKind::Removed => wire::DiffKind::Removed,
            DifferenceKind::Changed => wire::DiffKind::Changed,
        },
        left: side.left.map(object),
        right: side.right.map(object),
    }
}

pub(crate) fn conflict(conflict: braid_catalog::MergeConflict) -> wire::MergeConflict {
    wire::MergeConflict {
        path: conflict.path,
        base: conflict.base.map(object),
        source: conflict.source.map(object),
        destination: conflict.destination.map(object),
    }
}

pub(crate) fn commit_request(asked: wire::CommitBranch, by: &Mutation) -> CommitRequest {
    CommitRequest {
        branch: asked.branch,
        committer: by.principal.clone(),
        message: asked.message,
        metadata: asked.metadata,
        time: asked.date,
        allow_empty: asked.allow_empty,
    }
}

pub(crate) fn merge_request(asked: wire::Merge, by: &Mutation) -> MergeRequest {
    MergeRequest {
        source: asked.source,
        destination: asked.destination,
        strategy: strategy(asked.strategy),
        committer: by.principal.clone(),
        message: asked.message.unwrap_or_default(),
        metadata: asked.metadata,
        squash: asked.squash,
        allow_empty: asked.allow_empty,
        time: None,
    }
}

pub(crate) fn set_member(asked: wire::SetMember, by: &Mutation) -> SetMember {
    let (repository, action) = match asked {
        wire::SetMember::Commit(asked) => {
            (asked.repository.clone(), SetAction::Commit(commit_request(asked, by)))
        }
        wire::SetMember::Merge(asked) => {
            (asked.repository.clone(), SetAction::Merge(merge_request(asked, by)))
        }
        wire::SetMember::HardReset(asked) => {
            (asked.repository, SetAction::HardReset { branch: asked.branch, to: asked.reference })
        }
        wire::SetMember::Tag(asked) => {
            (asked.repository, SetAction::Tag { name: asked.name, reference: asked.reference })
        }
    };
    SetMember { repository, action }
}

/// What a commit changed, to be done again.
pub(crate) fn cherry_pick(asked: wire::CherryPick, by: &Mutation) -> PickRequest {
    PickRequest {
        branch: asked.branch,
        commit: asked.reference,
        parent_number: asked.parent_number.unwrap_or_default(),
        committer: by.principal.clone(),
        message: asked.message.unwrap_or_default(),
        metadata: asked.metadata,
        allow_empty: false,
        time: None,
    }
}

/// What a commit changed, to be undone.
pub(crate) fn revert(asked: wire::Revert, by: &Mutation) -> PickRequest {
    let wire::Revert { repository, branch, reference, parent_number, message, metadata, allow_empty } = asked;
    let again = wire::CherryPick { repository, branch, reference, parent_number, message, metadata };
    PickRequest { allow_empty, ..cherry_pick(again, by) }
}
