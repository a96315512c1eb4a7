//! Branches that were seen to have so much uncommitted that reading it gets slow: their layers are to be folded.
//!
//! This is only a hint, kept in memory: what was forgotten is seen again by the next who reads or writes the branch.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::operation::stage::BranchAddress;

/// Most branches that are remembered.
const REMEMBERED: usize = 10_000;

/// Branches whose layers are to be folded, each once.
#[derive(Debug, Default)]
pub(crate) struct Tall {
    branches: Mutex<BTreeSet<BranchAddress>>,
    noted: Notify,
}

impl Tall {
    /// Remembers a branch.
    pub(crate) fn note(&self, branch: &BranchAddress) {
        let mut branches = self.branches.lock();
        if branches.len() < REMEMBERED && !branches.contains(branch) {
            branches.insert(branch.clone());
            self.noted.notify_one();
        }
    }

    /// Waits for a branch and forgets it.
    pub(crate) async fn next(&self) -> BranchAddress {
        loop {
            if let Some(branch) = self.branches.lock().pop_first() {
                return branch;
            }
            self.noted.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use braid_types::{BranchName, RepositoryName};
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_branch_is_given_once_however_often_it_was_noted() {
        let branch = |name: &str| BranchAddress {
            repository: RepositoryName::new("lake").unwrap(),
            branch: BranchName::new(name).unwrap(),
        };
        let tall = Tall::default();
        assert_eq!(tall.next().now_or_never(), None);
        for name in ["b", "a", "b"] {
            tall.note(&branch(name));
        }
        assert_eq!(tall.next().await, branch("a"));
        assert_eq!(tall.next().await, branch("b"));
        assert_eq!(tall.next().now_or_never(), None);
        tall.note(&branch("b"));
        assert_eq!(tall.next().await, branch("b"));
    }
}
