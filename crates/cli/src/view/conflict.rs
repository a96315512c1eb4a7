//! Paths on which a merge fails.

use std::fmt;

use braid_client::{MergeConflict, Object};
use serde::Serialize;

use crate::text::Plain;
use crate::view::ObjectJson;

/// A path that both sides changed, with what each did.
#[derive(Serialize)]
pub(crate) struct ConflictView {
    path: String,
    source_did: &'static str,
    destination_did: &'static str,
    base: Option<ObjectJson>,
    source: Option<ObjectJson>,
    destination: Option<ObjectJson>,
}

impl From<MergeConflict> for ConflictView {
    fn from(conflict: MergeConflict) -> Self {
        Self {
            path: conflict.path.as_str().to_owned(),
            source_did: what_was_done(conflict.base.as_ref(), conflict.source.as_ref()),
            destination_did: what_was_done(conflict.base.as_ref(), conflict.destination.as_ref()),
            base: conflict.base.map(Into::into),
            source: conflict.source.map(Into::into),
            destination: conflict.destination.map(Into::into),
        }
    }
}

/// Both sides of a conflict differ from the base.
fn what_was_done(base: Option<&Object>, side: Option<&Object>) -> &'static str {
    match (base, side) {
        (None, Some(_)) => "added",
        (Some(_), Some(_)) => "changed",
        (_, None) => "removed",
    }
}

impl fmt::Display for ConflictView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, destination) = (self.source_did, self.destination_did);
        write!(f, "conflict: {} ({source} in the source, {destination} in the branch)", Plain(&self.path))
    }
}
