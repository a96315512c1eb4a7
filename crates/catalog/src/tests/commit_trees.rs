//! Committing trees as they are.

use braid_types::{Code, CommitId, MetarangeId, Result};

use super::lake::*;
use crate::*;

/// `main` with `a`, and the tree of `side`, which has `b` beside it.
async fn two_trees() -> (Lake, MetarangeId) {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.branch("side", "main").await;
    lake.put("side", "b", "1").await;
    lake.commit("side").await;
    let tree = tree_of(&lake, "side").await;
    (lake, tree)
}

async fn tree_of(lake: &Lake, at: &str) -> MetarangeId {
    lake.catalog.commit_at(&repo(), &expr(at)).await.unwrap().1.metarange.unwrap()
}

fn commit_of(tree: MetarangeId) -> CommitTree {
    CommitTree {
        branch: branch("main"),
        tree,
        committer: "ada".into(),
        message: "as it is".into(),
        metadata: [("k".to_owned(), "v".to_owned())].into(),
        time: None,
    }
}

async fn commit_tree(lake: &Lake, tree: MetarangeId) -> Result<CommitId> {
    lake.catalog.commit_tree(&repo(), &commit_of(tree), &lake.mutation()).await
}

#[tokio::test]
async fn a_tree_is_committed_as_it_is() {
    let (lake, tree) = two_trees().await;
    let (before, by) = (lake.branch_head("main").await, lake.mutation());
    let id = lake.catalog.commit_tree(&repo(), &commit_of(tree), &by).await.unwrap();
    let (head, commit) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    assert_eq!((head, commit.parents.as_slice(), commit.metarange), (id, &[before][..], Some(tree)));
    assert_eq!((commit.committer.as_str(), commit.message.as_str()), ("ada", "as it is"));
    assert_eq!(commit.metadata["k"], "v");
    assert_eq!(lake.content("main").await, content([("a", "1"), ("b", "1")]));
    assert_eq!(lake.catalog.commit_tree(&repo(), &commit_of(tree), &by).await.unwrap(), id, "a retry");
    // The same tree again is a commit of its own.
    lake.world.clock.advance(std::time::Duration::from_secs(1));
    let again = commit_tree(&lake, tree).await.unwrap();
    assert_eq!(lake.branch_head("main").await, again);
    lake.put("main", "c", "1").await;
    lake.commit("main").await;
    assert_eq!(lake.content("main@").await.len(), 3);
}

#[tokio::test]
async fn a_tree_is_committed_onto_a_clean_branch_that_takes_commits() {
    let (lake, tree) = two_trees().await;
    let before = lake.branch_head("main").await;
    let unknown = MetarangeId::from_bytes([7; 32]);
    let error = commit_tree(&lake, unknown).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::MetarangeNotFound, unknown.to_hex().as_str()));
    lake.put("main", "a", "2").await;
    assert_eq!(commit_tree(&lake, tree).await.unwrap_err().code(), Code::DirtyBranch);
    lake.seal("main").await;
    assert_eq!(commit_tree(&lake, tree).await.unwrap_err().code(), Code::DirtyBranch);
    lake.reset("main", ResetScope::All).await;
    let protection = Protection::new(vec!["main".into()]).unwrap();
    lake.catalog.set_branch_protection(&repo(), &protection, None, &lake.mutation()).await.unwrap();
    assert_eq!(commit_tree(&lake, tree).await.unwrap_err().code(), Code::ProtectedBranch);
    assert_eq!(lake.branch_head("main").await, before);
}

#[tokio::test]
async fn what_is_staged_while_a_tree_is_committed_is_not_lost() {
    let (lake, tree) = two_trees().await;
    let other = lake.restarted();
    lake.world.interrupt_begin(move || async move { other.put("main", "late", "1").await });
    assert_eq!(commit_tree(&lake, tree).await.unwrap_err().code(), Code::DirtyBranch);
    assert_eq!(lake.content("main").await, content([("a", "1"), ("late", "1")]));
}
