//! Differences.

use braid_client::{DiffEntry, DiffItem, DiffKind, Object};
use serde::Serialize;

use super::{ObjectStats, Shown};

/// A path that differs, or a directory in which paths do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DiffView {
    #[serde(rename = "type")]
    kind: &'static str,
    pub(crate) path: String,
    path_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<ObjectStats>,
}

impl DiffView {
    /// A difference; `right` says whether to tell all of what the right side has.
    pub(crate) fn of(item: DiffItem, right: bool) -> Self {
        match item {
            DiffItem::Entry(entry) => Self::entry(entry, right),
            DiffItem::CommonPrefix(changes) => Self {
                kind: "prefix_changed",
                path: changes.prefix.to_string(),
                path_type: "common_prefix",
                size_bytes: None,
                right: None,
            },
        }
    }

    fn entry(entry: DiffEntry, right: bool) -> Self {
        let kind = match entry.kind {
            DiffKind::Added => "added",
            DiffKind::Removed => "removed",
            DiffKind::Changed => "changed",
        };
        let size = |object: &Object| object.entry.size;
        let size_bytes = entry.right.as_ref().or(entry.left.as_ref()).map(size);
        let shown = Shown { metadata: true };
        let right = entry.right.filter(|_| right).map(|object| ObjectStats::of(object, shown));
        Self { kind, path: entry.path.to_string(), path_type: "object", size_bytes, right }
    }
}
