//! Merges.

use serde::Serialize;
use utoipa::ToSchema;

/// What came of a merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct MergeResult {
    /// The commit's id; empty if paths are in conflict.
    pub(crate) reference: String,
}
