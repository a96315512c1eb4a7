//! What differs.

use std::fmt;

use braid_client::{DiffEntry, DiffItem, DiffKind};
use serde::Serialize;

use crate::text::{Count, Plain, Size};
use crate::view::ObjectJson;

/// A path that differs, or a directory with paths that do.
#[derive(Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "most are paths; a box would cost each an allocation")]
pub(crate) enum ChangeView {
    /// A path.
    Path { path: String, kind: &'static str, left: Option<ObjectJson>, right: Option<ObjectJson> },
    /// What several paths begin with.
    CommonPrefix { common_prefix: String, added: u64, removed: u64, changed: u64 },
}

impl From<DiffItem> for ChangeView {
    fn from(item: DiffItem) -> Self {
        match item {
            DiffItem::Entry(entry) => Self::of_entry(entry),
            DiffItem::CommonPrefix(changes) => Self::CommonPrefix {
                common_prefix: changes.prefix.as_str().to_owned(),
                added: changes.added,
                removed: changes.removed,
                changed: changes.changed,
            },
        }
    }
}

impl ChangeView {
    fn of_entry(entry: DiffEntry) -> Self {
        let kind = match entry.kind {
            DiffKind::Added => "added",
            DiffKind::Removed => "removed",
            DiffKind::Changed => "changed",
        };
        let path = entry.path.as_str().to_owned();
        Self::Path { path, kind, left: entry.left.map(Into::into), right: entry.right.map(Into::into) }
    }
}

impl fmt::Display for ChangeView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path, kind: "added", .. } => write!(f, "+ {}", Plain(path)),
            Self::Path { path, kind: "removed", .. } => write!(f, "- {}", Plain(path)),
            Self::Path { path, .. } => write!(f, "~ {}", Plain(path)),
            Self::CommonPrefix { common_prefix, added, removed, changed } => {
                let sign = match (added, removed, changed) {
                    (_, 0, 0) => '+',
                    (0, _, 0) => '-',
                    _ => '~',
                };
                let counts = format_args!("{added} added, {removed} removed, {changed} changed");
                write!(f, "{sign} {}  ({counts})", Plain(common_prefix))
            }
        }
    }
}

/// How much differs.
#[derive(Default, Serialize)]
pub(crate) struct SummaryView {
    added: u64,
    removed: u64,
    changed: u64,
    bytes_added: u64,
    bytes_removed: u64,
}

impl SummaryView {
    /// Counts `entry` in. A changed object's old bytes are removed, and its new ones added.
    pub(crate) fn count(&mut self, entry: &DiffEntry) {
        match entry.kind {
            DiffKind::Added => self.added += 1,
            DiffKind::Removed => self.removed += 1,
            DiffKind::Changed => self.changed += 1,
        }
        self.bytes_removed += entry.left.as_ref().map_or(0, |object| object.entry.size);
        self.bytes_added += entry.right.as_ref().map_or(0, |object| object.entry.size);
    }
}

impl fmt::Display for SummaryView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.added + self.removed + self.changed;
        write!(
            f,
            "{} differ: {} added, {} removed, {} changed (+{}, -{})",
            Count(all, "path"),
            self.added,
            self.removed,
            self.changed,
            Size(self.bytes_added),
            Size(self.bytes_removed),
        )
    }
}
