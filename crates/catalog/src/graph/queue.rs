//! Commits waiting to be visited, each once, the one of the highest generation first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use braid_types::{Commit, CommitId, Result, Time};

use super::Commits;

/// What orders commits: generation, then time, then the smaller id.
pub(super) type Rank = (u32, Time, Reverse<CommitId>);

#[derive(Debug)]
struct Waiting {
    rank: Rank,
    commit: Arc<Commit>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

/// The queue of a walk.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BinaryHeap<Waiting>,
    seen: HashSet<CommitId>,
}

impl Queue {
    /// Adds a commit unless it was added before.
    pub(super) async fn add(&mut self, commits: &dyn Commits, id: CommitId) -> Result<()> {
        if !self.seen.insert(id) {
            return Ok(());
        }
        let commit = commits.commit(&id).await?;
        self.waiting.push(Waiting { rank: (commit.generation, commit.time, Reverse(id)), commit });
        Ok(())
    }

    /// Takes the commit of the highest rank.
    pub(super) fn take(&mut self) -> Option<(CommitId, Arc<Commit>)> {
        self.waiting.pop().map(|waiting| (waiting.rank.2.0, waiting.commit))
    }

    /// The highest generation that waits.
    pub(super) fn highest_generation(&self) -> Option<u32> {
        self.waiting.peek().map(|waiting| waiting.rank.0)
    }
}
