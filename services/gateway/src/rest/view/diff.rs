//! Differences.

use braid_client::{DiffEntry, DiffItem, DiffKind, Object};
use serde::Serialize;
use utoipa::ToSchema;

use super::object::PathType;
use super::{Listed, ObjectStats, Shown};

/// A path that differs, or a directory in which paths do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Diff)]
pub(crate) struct DiffView {
    #[serde(rename = "type")]
    kind: DiffKindView,
    pub(crate) path: String,
    path_type: PathType,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    right: Option<ObjectStats>,
}

/// How a path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DiffKind)]
#[serde(rename_all = "snake_case")]
enum DiffKindView {
    Added,
    Removed,
    Changed,
    PrefixChanged,
}

/// A page of differences.
pub(crate) type DiffList = Listed<DiffView>;

impl DiffView {
    /// A difference; `right` says whether to tell all of what the right side has.
    pub(crate) fn of(item: DiffItem, right: bool) -> Self {
        match item {
            DiffItem::Entry(entry) => Self::entry(entry, right),
            DiffItem::CommonPrefix(changes) => Self {
                kind: DiffKindView::PrefixChanged,
                path: changes.prefix.to_string(),
                path_type: PathType::CommonPrefix,
                size_bytes: None,
                right: None,
            },
        }
    }

    fn entry(entry: DiffEntry, right: bool) -> Self {
        let kind = match entry.kind {
            DiffKind::Added => DiffKindView::Added,
            DiffKind::Removed => DiffKindView::Removed,
            DiffKind::Changed => DiffKindView::Changed,
        };
        let size = |object: &Object| object.entry.size;
        let size_bytes = entry.right.as_ref().or(entry.left.as_ref()).map(size);
        let shown = Shown { metadata: true };
        let right = entry.right.filter(|_| right).map(|object| ObjectStats::of(object, shown));
        Self { kind, path: entry.path.to_string(), path_type: PathType::Object, size_bytes, right }
    }
}
