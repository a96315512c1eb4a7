//! Differences, path by path or rolled up into directories.

use braid_types::{BranchName, Code, Error, ObjectPath, PathPrefix, RefExpression, RepositoryName};

use crate::field::{Field, conversions, enumeration, in_field, message, unknown_value};
use crate::object::Object;
use crate::page::{batch, page};
use crate::proto;

/// What a difference is taken from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DiffMode {
    /// From the left ref.
    TwoDot,
    /// From the merge base of both.
    #[default]
    ThreeDot,
}

/// Asks what differs between two refs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// Where.
    pub repository: RepositoryName,
    /// The old side.
    pub left: RefExpression,
    /// The new side.
    pub right: RefExpression,
    /// What the difference is taken from.
    pub mode: DiffMode,
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
    /// What to roll paths up at.
    pub delimiter: Option<String>,
    /// Only items after it.
    pub after: Option<PathPrefix>,
}

/// Asks for a page of what differs between two refs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListDiff {
    /// Where.
    pub repository: RepositoryName,
    /// The old side.
    pub left: RefExpression,
    /// The new side.
    pub right: RefExpression,
    /// What the difference is taken from.
    pub mode: DiffMode,
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
    /// What to roll paths up at.
    pub delimiter: Option<String>,
    /// Only items after it.
    pub after: Option<PathPrefix>,
    /// Most items on the page.
    pub page_size: Option<u32>,
    /// What the page before gave; none for the first page.
    pub page_token: Option<String>,
}

/// Asks for a branch's uncommitted changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffBranch {
    /// Where.
    pub repository: RepositoryName,
    /// Which branch.
    pub branch: BranchName,
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
    /// What to roll paths up at.
    pub delimiter: Option<String>,
    /// Only items after it.
    pub after: Option<PathPrefix>,
}

/// How a path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiffKind {
    /// Only the right side has it.
    Added,
    /// Only the left side has it.
    Removed,
    /// Both sides have it, with other content.
    Changed,
}

/// A path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffEntry {
    /// The path.
    pub path: ObjectPath,
    /// How it differs.
    pub kind: DiffKind,
    /// What the left side has there.
    pub left: Option<Object>,
    /// What the right side has there.
    pub right: Option<Object>,
}

/// How many paths with a common prefix differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixChanges {
    /// What the paths begin with, up to and with the delimiter.
    pub prefix: PathPrefix,
    /// Paths that only the right side has.
    pub added: u64,
    /// Paths that only the left side has.
    pub removed: u64,
    /// Paths that both sides have, with other content.
    pub changed: u64,
}

/// One item of a diff. Without a delimiter all are paths.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all of the items there are, are paths")]
pub enum DiffItem {
    /// A path.
    Entry(DiffEntry),
    /// Paths that begin alike.
    CommonPrefix(PrefixChanges),
}

message!(Diff = DiffRequest { repository, left, right, mode, prefix, delimiter, after });
message!(
    ListDiff =
        ListDiffRequest { repository, left, right, mode, prefix, delimiter, after, page_size, page_token }
);
message!(DiffBranch = DiffBranchRequest { repository, branch, prefix, delimiter, after });
message!(DiffEntry = DiffEntry { path, kind, left: optional, right: optional });
message!(PrefixChanges = PrefixChanges { prefix, added, removed, changed });
conversions!(DiffItem = DiffItem);
batch!(DiffItem = DiffResponse.items);
page!(DiffItem = ListDiffResponse.items);
enumeration!(DiffKind = DiffKind { Added => Added, Removed => Removed, Changed => Changed });

impl Field for DiffMode {
    type Wire = i32;

    fn read(wire: i32) -> Result<Self, Error> {
        match proto::DiffMode::try_from(wire) {
            Ok(proto::DiffMode::TwoDot) => Ok(Self::TwoDot),
            Ok(proto::DiffMode::ThreeDot | proto::DiffMode::Unspecified) => Ok(Self::ThreeDot),
            Err(_) => Err(unknown_value(wire)),
        }
    }

    fn write(self) -> i32 {
        match self {
            Self::TwoDot => proto::DiffMode::TwoDot.into(),
            Self::ThreeDot => proto::DiffMode::ThreeDot.into(),
        }
    }
}

impl Field for DiffItem {
    type Wire = proto::DiffItem;

    fn read(wire: proto::DiffItem) -> Result<Self, Error> {
        use proto::diff_item::Item;
        match wire.item {
            Some(Item::Entry(entry)) => in_field("entry", Field::read(entry)).map(Self::Entry),
            Some(Item::CommonPrefix(changes)) => {
                in_field("common_prefix", Field::read(changes)).map(Self::CommonPrefix)
            }
            None => Err(Error::new(
                Code::InvalidArgument,
                "item",
                "item: one of 'entry' and 'common_prefix' must be given",
            )),
        }
    }

    fn write(self) -> proto::DiffItem {
        use proto::diff_item::Item;
        let item = match self {
            Self::Entry(entry) => Item::Entry(entry.write()),
            Self::CommonPrefix(changes) => Item::CommonPrefix(changes.write()),
        };
        proto::DiffItem { item: Some(item) }
    }
}
