//! History from a commit backwards.

use std::sync::Arc;

use braid_types::{Commit, CommitId, Result};

use super::Commits;
use super::queue::Queue;

/// Visits a commit and all its ancestors, each once, every commit before its parents.
#[derive(Debug)]
pub(crate) struct Walk {
    queue: Queue,
    first_parent: bool,
}

impl Walk {
    /// A walk from `start`; with `first_parent` it does not follow the other parents of merges.
    pub(crate) async fn new(commits: &dyn Commits, start: CommitId, first_parent: bool) -> Result<Self> {
        let mut queue = Queue::default();
        queue.add(commits, start).await?;
        Ok(Self { queue, first_parent })
    }

    /// The next commit.
    pub(crate) async fn next(&mut self, commits: &dyn Commits) -> Result<Option<(CommitId, Arc<Commit>)>> {
        let Some((id, commit)) = self.queue.take() else {
            return Ok(None);
        };
        let followed = if self.first_parent { 1 } else { usize::MAX };
        for &parent in commit.parents.iter().take(followed) {
            self.queue.add(commits, parent).await?;
        }
        Ok(Some((id, commit)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Graph, random_graphs};
    use super::*;

    #[tokio::test]
    async fn every_commit_comes_once_and_before_its_parents() {
        for graph in random_graphs(300) {
            let start = graph.newest();
            let mut walk = Walk::new(&graph, start, false).await.unwrap();
            let mut visited = Vec::new();
            while let Some((id, commit)) = walk.next(&graph).await.unwrap() {
                assert!(commit.parents.iter().all(|parent| !visited.contains(parent)));
                assert!(!visited.contains(&id));
                visited.push(id);
            }
            let mut expected: Vec<_> = graph.ancestors(start).into_iter().collect();
            visited.sort();
            expected.sort();
            assert_eq!(visited, expected);
        }
    }

    #[tokio::test]
    async fn first_parents_only() {
        // 0 ── 1 ──── 3
        //  └── 2 ────┘
        let graph = Graph::new(&[&[], &[0], &[0], &[1, 2]]);
        let mut walk = Walk::new(&graph, graph.id(3), true).await.unwrap();
        let mut visited = Vec::new();
        while let Some((id, _)) = walk.next(&graph).await.unwrap() {
            visited.push(id);
        }
        assert_eq!(visited, [graph.id(3), graph.id(1), graph.id(0)]);
    }
}
