//! Differences one by one, as paths or rolled up into directories.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::{Difference, DifferenceKind, DirectoryDiff, Record};
use braid_types::{Code, Error, ObjectPath, PathPrefix, Result};

use super::staged_diff::StagedDiff;
use crate::view::Object;

/// Which differences, and whether they are rolled up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiffQuery {
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
    /// Paths that hold it after the prefix are counted together as one common prefix; empty for none.
    pub delimiter: String,
    /// Only items after it: a path or a common prefix; empty for all.
    pub after: String,
}

/// One item of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "most are paths; a box would cost each an allocation")]
pub enum Changed {
    /// A path that differs.
    Path(Side),
    /// Paths that differ and begin alike.
    CommonPrefix(PrefixChanges),
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The path.
    pub path: ObjectPath,
    /// How it differs, from left to right.
    pub kind: DifferenceKind,
    /// What the left side has.
    pub left: Option<Object>,
    /// What the right side has.
    pub right: Option<Object>,
}

/// How many paths with a common prefix differ. Not all three are zero.
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

/// All that differs, in order.
pub struct Differences {
    pub(super) source: Source,
    pub(super) namespace: Arc<str>,
    /// Holds the state that is read.
    pub(super) _snapshot: Arc<dyn Snapshot>,
}

pub(super) enum Source {
    Trees(Box<DirectoryDiff>),
    Staged(Box<StagedDiff>),
}

impl Differences {
    /// The next item. After an error there is no going on.
    pub async fn next(&mut self) -> Result<Option<Changed>> {
        let next = match &mut self.source {
            Source::Trees(diff) => diff.next().await?,
            Source::Staged(diff) => diff.next().await?,
        };
        next.map(|changed| item(changed, &self.namespace)).transpose()
    }
}

impl Changed {
    /// What the item is listed as: the path or the common prefix.
    pub fn name(&self) -> &str {
        match self {
            Self::Path(side) => side.path.as_str(),
            Self::CommonPrefix(changes) => changes.prefix.as_str(),
        }
    }
}

fn item(changed: braid_tree::Changed, namespace: &Arc<str>) -> Result<Changed> {
    match changed {
        braid_tree::Changed::Path(difference) => side(&difference, namespace).map(Changed::Path),
        braid_tree::Changed::CommonPrefix(changes) => Ok(Changed::CommonPrefix(PrefixChanges {
            prefix: common_prefix(&changes.prefix)?,
            added: changes.added,
            removed: changes.removed,
            changed: changes.changed,
        })),
    }
}

fn side(difference: &Difference, namespace: &Arc<str>) -> Result<Side> {
    let object = |record: &Option<Record>| {
        record.as_ref().map(|record| Object::from_record(record, namespace)).transpose()
    };
    Ok(Side {
        path: ObjectPath::from_key(&difference.key)?,
        kind: difference.kind,
        left: object(&difference.left)?,
        right: object(&difference.right)?,
    })
}

fn common_prefix(key: &[u8]) -> Result<PathPrefix> {
    let text = str::from_utf8(key).map_err(|_| {
        let shown = key.escape_ascii().to_string();
        let message = format!("paths that begin with '{shown}' are not UTF-8");
        Error::new(Code::Corrupt, shown, message)
    })?;
    PathPrefix::new(text)
}
