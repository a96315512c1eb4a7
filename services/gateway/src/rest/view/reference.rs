//! Branches and tags.

use braid_client::{Branch, Tag};
use serde::Serialize;

/// A name and the commit that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RefView {
    pub(crate) id: String,
    commit_id: String,
}

impl From<Branch> for RefView {
    fn from(branch: Branch) -> Self {
        Self { id: branch.name.to_string(), commit_id: branch.commit_id.to_hex() }
    }
}

impl From<Tag> for RefView {
    fn from(tag: Tag) -> Self {
        Self { id: tag.name.to_string(), commit_id: tag.commit_id.to_hex() }
    }
}
