//! Branches and tags.

use braid_client::{Branch, Tag};
use serde::Serialize;
use utoipa::ToSchema;

use super::Listed;

/// A name and the commit that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Ref)]
pub(crate) struct RefView {
    pub(crate) id: String,
    commit_id: String,
}

/// A page of branches or tags.
pub(crate) type RefList = Listed<RefView>;

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
