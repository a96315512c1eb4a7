//! Best common ancestors, in the sense of `git merge-base`: one that is no ancestor of another common ancestor.

use std::collections::HashMap;

use braid_types::{CommitId, Result};

use super::Commits;
use super::queue::Queue;

const LEFT: u8 = 1;
const RIGHT: u8 = 2;

/// A best common ancestor of two commits. Of several (after a criss-cross merge), the one of the highest generation,
/// then the latest, then the one of the smallest id. `None` if the commits share no history.
///
/// Each side paints what it reaches. Commits are taken by falling generation, so the first one that both sides have
/// painted is a best one: were it an ancestor of another common one, that one would have been taken before.
pub(crate) async fn merge_base(
    commits: &dyn Commits,
    left: CommitId,
    right: CommitId,
) -> Result<Option<CommitId>> {
    let mut queue = Queue::default();
    let mut painted: HashMap<CommitId, u8> = HashMap::new();
    for (id, side) in [(left, LEFT), (right, RIGHT)] {
        *painted.entry(id).or_default() |= side;
        queue.add(commits, id).await?;
    }
    while let Some((id, commit)) = queue.take() {
        let sides = painted.get(&id).copied().unwrap_or_default();
        if sides == LEFT | RIGHT {
            return Ok(Some(id));
        }
        for &parent in &commit.parents {
            *painted.entry(parent).or_default() |= sides;
            queue.add(commits, parent).await?;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Graph, random_graphs};
    use super::*;

    async fn base(graph: &Graph, left: usize, right: usize) -> Option<CommitId> {
        merge_base(graph, graph.id(left), graph.id(right)).await.unwrap()
    }

    #[tokio::test]
    async fn a_branch_merged_into_two_others_is_their_base() {
        // C0 = 0, F1 = 1 on it; main = 2 and release = 3 each merge F1 with parents C0, F1.
        let graph = Graph::new(&[&[], &[0], &[0, 1], &[0, 1]]);
        assert_eq!(base(&graph, 3, 2).await, Some(graph.id(1)));
        assert_eq!(base(&graph, 2, 3).await, Some(graph.id(1)));
    }

    #[tokio::test]
    async fn simple_shapes() {
        // 0 ── 1 ── 2        5 (another root)
        //  └── 3 ── 4
        let graph = Graph::new(&[&[], &[0], &[1], &[0], &[3], &[]]);
        assert_eq!(base(&graph, 2, 4).await, Some(graph.id(0)));
        assert_eq!(base(&graph, 2, 1).await, Some(graph.id(1)));
        assert_eq!(base(&graph, 2, 2).await, Some(graph.id(2)));
        assert_eq!(base(&graph, 2, 5).await, None);
    }

    #[tokio::test]
    async fn agrees_with_brute_force_on_ten_thousand_random_graphs() {
        let mut several_bests = 0;
        for (number, graph) in random_graphs(10_000).enumerate() {
            let (left, right) = graph.pick_two(number as u64);
            let bests = graph.best_common_ancestors(left, right);
            several_bests += usize::from(bests.len() > 1);
            let found = merge_base(&graph, left, right).await.unwrap();
            match found {
                Some(found) => assert!(bests.contains(&found), "graph {number}: {graph:?}"),
                None => assert!(bests.is_empty(), "graph {number}: {graph:?}"),
            }
            assert_eq!(found, merge_base(&graph, right, left).await.unwrap(), "graph {number}");
        }
        assert!(several_bests > 100, "only {several_bests} graphs had a criss-cross");
    }
}
