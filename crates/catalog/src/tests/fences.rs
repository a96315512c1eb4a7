//! What the fence forbids, step by step.

use braid_kv::Outcome;
use braid_tree::Value;
use braid_types::Code;

use super::lake::*;
use crate::record::staged;

/// A writer that has passed the fence and is about to commit `a = late`.
async fn paused_writer(lake: &Lake, on: &str) -> Box<dyn braid_kv::Transaction> {
    let staging = lake.catalog.begin_staging(&repo(), &branch(on)).await.unwrap().unwrap();
    let mut txn = staging.txn;
    txn.put(staged::key(&staging.record.open.token, b"a"), staged::encode_put(&Value::of(&entry("late"))));
    txn
}

#[tokio::test]
async fn a_paused_writer_cannot_commit_into_a_layer_that_was_sealed_and_folded() {
    let lake = Lake::new().await;
    lake.put("main", "b", "1").await;
    let writer = paused_writer(&lake, "main").await;
    lake.commit("main").await;
    assert!(matches!(writer.commit().await, Outcome::Conflict(_)));
    assert_eq!(lake.content("main").await, content([("b", "1")]));
}

#[tokio::test]
async fn a_paused_writer_cannot_commit_onto_a_branch_that_was_reset_or_deleted() {
    let lake = Lake::new().await;
    lake.branch("gone", "main").await;
    let (reset, deleted) = (paused_writer(&lake, "main").await, paused_writer(&lake, "gone").await);
    lake.catalog.reset(&repo(), &branch("main"), &crate::ResetScope::All, &lake.mutation()).await.unwrap();
    lake.catalog.delete_branch(&repo(), &branch("gone"), &lake.mutation()).await.unwrap();
    lake.branch("gone", "main").await;
    assert!(matches!(reset.commit().await, Outcome::Conflict(_)));
    assert!(matches!(deleted.commit().await, Outcome::Conflict(_)));
    assert!(lake.content("main").await.is_empty());
    assert!(lake.content("gone").await.is_empty());
}

#[tokio::test]
async fn an_if_absent_put_does_not_survive_a_merge_that_brings_the_path() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    lake.put("side", "a", "merged").await;
    lake.commit("side").await;
    // The writer has seen that `a` is absent; then the merge brings it.
    let writer = paused_writer(&lake, "main").await;
    lake.merge("side", "main").await;
    assert!(matches!(writer.commit().await, Outcome::Conflict(_)));
    assert_eq!(lake.get("main", "a").await.as_deref(), Some("merged"));
    let refused = lake.stage("main", &[put_if_absent("a", "late")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PreconditionFailed);
}

#[tokio::test]
async fn an_acknowledged_write_makes_a_merge_in_progress_see_a_dirty_branch() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    lake.put("side", "a", "1").await;
    lake.commit("side").await;
    let other = lake.restarted();
    let operations = [put("b", "1")];
    let (merged, staged) = tokio::join!(
        lake.try_merge("side", "main", braid_tree::Strategy::Refuse),
        other.stage("main", &operations)
    );
    staged.unwrap();
    match merged {
        Ok(_) => assert_eq!(lake.content("main").await, content([("a", "1"), ("b", "1")])),
        Err(error) => {
            assert_eq!(error.code(), Code::DirtyBranch);
            assert_eq!(lake.content("main").await, content([("b", "1")]));
        }
    }
}

#[tokio::test]
async fn writers_go_on_while_a_commit_folds() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.seal("main").await;
    lake.put("main", "b", "1").await;
    let repository = lake.catalog.repository(&repo()).await.unwrap();
    lake.commit("main").await;
    lake.put("main", "c", "1").await;
    lake.catalog.seal(&repository, &branch("main")).await.unwrap();
    assert_eq!(lake.content("main").await, content([("a", "1"), ("b", "1"), ("c", "1")]));
    assert_eq!(lake.uncommitted("main").await, ["+c"]);
}
