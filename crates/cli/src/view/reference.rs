//! Branches, tags, merge bases, and what was deleted.

use std::fmt;

use braid_client::{Branch, MergeBase, Tag};
use serde::Serialize;

use crate::text::Plain;

/// A branch or a tag, in full.
#[derive(Serialize)]
pub(crate) struct RefView {
    name: String,
    commit_id: String,
}

impl From<Branch> for RefView {
    fn from(branch: Branch) -> Self {
        Self { name: branch.name.to_string(), commit_id: branch.commit_id.to_hex() }
    }
}

impl From<Tag> for RefView {
    fn from(tag: Tag) -> Self {
        Self { name: tag.name.to_string(), commit_id: tag.commit_id.to_hex() }
    }
}

impl fmt::Display for RefView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "name:   {}", Plain(&self.name))?;
        write!(f, "commit: {}", self.commit_id)
    }
}

/// A branch or a tag on a line.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct RefLine(RefView);

impl<T: Into<RefView>> From<T> for RefLine {
    fn from(reference: T) -> Self {
        Self(reference.into())
    }
}

impl fmt::Display for RefLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.0.commit_id, Plain(&self.0.name))
    }
}

/// A best common ancestor.
#[derive(Serialize)]
pub(crate) struct MergeBaseView {
    left_commit_id: String,
    right_commit_id: String,
    base_commit_id: String,
}

impl From<MergeBase> for MergeBaseView {
    fn from(base: MergeBase) -> Self {
        Self {
            left_commit_id: base.left_commit_id.to_hex(),
            right_commit_id: base.right_commit_id.to_hex(),
            base_commit_id: base.base_commit_id.to_hex(),
        }
    }
}

impl fmt::Display for MergeBaseView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base_commit_id)
    }
}

/// What was deleted: an address.
#[derive(Serialize)]
pub(crate) struct DeletedView {
    pub(crate) deleted: String,
}

impl fmt::Display for DeletedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "deleted {}", Plain(&self.deleted))
    }
}
