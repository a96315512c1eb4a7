//! Walks over the commit graph: plain algorithms over [`Commits`], which know nothing of repositories.
//!
//! All of them visit commits by falling generation. A commit's generation is greater than its parents', so every
//! descendant that a walk can reach is handled before the commit itself, and what is known of a commit when it is
//! taken from the queue is final.

mod merge_base;
mod queue;
mod reached;
#[cfg(test)]
mod testing;
mod walk;

use std::sync::Arc;

use async_trait::async_trait;
use braid_types::{Commit, CommitId, Result};

pub(crate) use merge_base::merge_base;
pub(crate) use reached::Reached;
pub(crate) use walk::Walk;

/// Where commits are read from.
#[async_trait]
pub(crate) trait Commits: Send + Sync {
    /// The commit with this id.
    ///
    /// # Errors
    /// [`braid_types::Code::CommitNotFound`].
    async fn commit(&self, id: &CommitId) -> Result<Arc<Commit>>;
}
