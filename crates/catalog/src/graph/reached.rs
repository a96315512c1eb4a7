//! What a head reaches while it moves on, commit by commit: what was found out for one head holds for the next.

use std::collections::HashSet;

use braid_types::{CommitId, Result};

use super::queue::Queue;
use super::{Commits, Walk};

/// A head and what is known of its ancestors: all of them down to some generation.
#[derive(Debug)]
pub(crate) struct Reached {
    head: CommitId,
    /// Ancestors whose parents were not looked at.
    edge: Queue,
    known: HashSet<CommitId>,
}

impl Reached {
    /// The ancestors of `head`, of which nothing is known yet.
    pub(crate) async fn new(commits: &dyn Commits, head: CommitId) -> Result<Self> {
        let mut reached = Self { head, edge: Queue::default(), known: HashSet::new() };
        reached.advance(commits, head).await?;
        Ok(reached)
    }

    /// Goes on to a head that has the one before among its ancestors.
    pub(crate) async fn advance(&mut self, commits: &dyn Commits, head: CommitId) -> Result<()> {
        self.head = head;
        self.known.insert(head);
        self.edge.add(commits, head).await
    }

    /// The head.
    pub(crate) fn head(&self) -> CommitId {
        self.head
    }

    /// How many ancestors are known.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether `id` is the head or an ancestor of it.
    pub(crate) async fn has(&mut self, commits: &dyn Commits, id: CommitId) -> Result<bool> {
        if self.known.contains(&id) {
            return Ok(true);
        }
        let lowest = commits.commit(&id).await?.generation;
        while self.edge.highest_generation().is_some_and(|generation| generation > lowest) {
            let (_, commit) = self.edge.take().expect("a commit waits");
            for &parent in &commit.parents {
                self.known.insert(parent);
                self.edge.add(commits, parent).await?;
            }
        }
        Ok(self.known.contains(&id))
    }

    /// The [merge base](mod@super::merge_base) of the head and another commit: of all that the other reaches, the first, by
    /// falling generation, that the head reaches as well.
    pub(crate) async fn base(&mut self, commits: &dyn Commits, other: CommitId) -> Result<Option<CommitId>> {
        let mut walk = Walk::new(commits, other, false).await?;
        while let Some((id, _)) = walk.next(commits).await? {
            if self.has(commits, id).await? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::merge_base;
    use super::super::testing::random_graphs;
    use super::*;

    #[tokio::test]
    async fn a_head_that_moves_on_answers_as_walks_from_each_of_its_places_do() {
        for graph in random_graphs(300) {
            let ids: Vec<_> = graph.ids().collect();
            let mut line = vec![graph.newest()];
            while let Some(&first) = graph.commit(&line[line.len() - 1]).await.unwrap().parents.first() {
                line.push(first);
            }
            let mut heads = line.into_iter().rev();
            let mut reached = Reached::new(&graph, heads.next().unwrap()).await.unwrap();
            for head in heads {
                reached.advance(&graph, head).await.unwrap();
                for (number, &id) in ids.iter().enumerate().step_by(3) {
                    let expected = graph.ancestors(head).contains(&id);
                    assert_eq!(reached.has(&graph, id).await.unwrap(), expected, "{number}: {graph:?}");
                    let expected = merge_base(&graph, head, id).await.unwrap();
                    assert_eq!(reached.base(&graph, id).await.unwrap(), expected, "{number}: {graph:?}");
                }
            }
        }
    }
}
