//! What the fence forbids, step by step.

use braid_kv::Outcome;
use braid_tree::Value;
use braid_types::Code;

use super::lake::*;
use crate::BranchAddress;
use crate::operation::plan::{Place, Plan};
use crate::operation::publish::Published;
use crate::operation::stage::{Ahead, Step};
use crate::operation::tree_files::Uploads;
use crate::record::path_change::PathState;
use crate::record::request::Answer;

/// A writer that has passed the fence and is about to commit `a = late`.
pub(super) async fn paused_writer(lake: &Lake, on: &str) -> Box<dyn braid_kv::Transaction> {
    let at = BranchAddress { repository: repo(), branch: branch(on) };
    let begin =
        async || lake.catalog.begin_staging(std::slice::from_ref(&at), &Ahead::default()).await.unwrap();
    let mut staging = match begin().await {
        Ok(staging) => staging,
        // What was last seen of the branch is of one that had its name before.
        Err(_) => begin().await.unwrap(),
    };
    let (path, old) = (bytes::Bytes::from_static(b"a"), PathState::Committed { tree: None, at: None });
    let new = PathState::Put(Value::of(&entry("late")));
    staging.step(&lake.catalog, Step { on: 0, path, old, new }, &lake.mutation());
    staging.pass(0).await.unwrap();
    staging.txn
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

/// A plan that merges `side`, which has a commit of its own, into `on`, and how it was published after `meanwhile`.
async fn published_after(lake: &Lake, on: &str, meanwhile: impl AsyncFnOnce(&Lake)) -> Published {
    let (uploads, by) = (Uploads::default(), lake.mutation());
    let repository = lake.catalog.repository(&repo()).await.unwrap();
    let mut plan = Plan::new(&lake.catalog, lake.catalog.snapshot().await.unwrap(), &uploads);
    let place = Place { repository: &repository, by: &by };
    let merge = lake.merge_request("side", on, braid_tree::Strategy::Refuse);
    let made = plan.merge(place, &merge).await.unwrap();
    meanwhile(lake).await;
    plan.publish(&[(by.of("merge", &[]), Answer::Commit(made))]).await.unwrap()
}

/// The same with a commit of what is staged on `on`.
pub(super) async fn committed_after(lake: &Lake, on: &str, meanwhile: impl AsyncFnOnce(&Lake)) -> Published {
    let (uploads, by) = (Uploads::default(), lake.mutation());
    let repository = lake.catalog.repository(&repo()).await.unwrap();
    lake.seal(on).await;
    let mut plan = Plan::new(&lake.catalog, lake.catalog.snapshot().await.unwrap(), &uploads);
    let place = Place { repository: &repository, by: &by };
    let made = plan.commit(place, &lake.commit_request(on, "late")).await.unwrap();
    meanwhile(lake).await;
    plan.publish(&[(by.of("commit", &[]), Answer::Commit(made))]).await.unwrap()
}

/// A lake whose branch `side` has one commit more than `main` and `other`.
async fn with_side() -> Lake {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    lake.branch("other", "main").await;
    lake.put("side", "s", "1").await;
    lake.commit("side").await;
    lake
}

#[tokio::test]
async fn a_merge_that_is_about_to_publish_sees_what_was_staged_meanwhile() {
    let lake = with_side().await;
    let published = published_after(&lake, "main", async |lake| lake.put("main", "a", "1").await).await;
    assert!(matches!(published, Published::Dirty(at) if at.branch == branch("main")));
    assert_eq!(lake.content("main").await, content([("a", "1")]));
    lake.commit("main").await;
    let published = published_after(&lake, "main", async |_| {}).await;
    assert!(matches!(published, Published::Done), "{published:?}");
    assert_eq!(lake.content("main").await, content([("a", "1"), ("s", "1")]));
}

#[tokio::test]
async fn nothing_is_published_onto_a_branch_that_is_no_longer_what_the_work_began_from() {
    let moved = async |lake: &Lake| {
        lake.put("main", "a", "1").await;
        lake.commit("main").await;
    };
    let lake = with_side().await;
    let published = published_after(&lake, "main", moved).await;
    assert!(matches!(published, Published::Outdated(_)), "{published:?}");
    assert_eq!(lake.content("main@").await, content([("a", "1")]));
    lake.put("main", "b", "1").await;
    let published = committed_after(&lake, "main", async |lake| {
        lake.commit("main").await;
    })
    .await;
    assert!(matches!(published, Published::Outdated(_)), "{published:?}");
}

#[tokio::test]
async fn a_branch_deleted_and_made_again_under_a_commit_or_a_merge_gets_nothing_of_it() {
    let remade = async |lake: &Lake| {
        lake.catalog.delete_branch(&repo(), &branch("other"), &lake.mutation()).await.unwrap();
        lake.branch("other", "main").await;
    };
    let lake = with_side().await;
    let published = published_after(&lake, "other", remade).await;
    assert!(matches!(published, Published::Outdated(_)), "{published:?}");
    lake.put("other", "o", "1").await;
    let published = committed_after(&lake, "other", remade).await;
    assert!(matches!(published, Published::Outdated(_)), "{published:?}");
    assert_eq!(lake.content("other").await, lake.content("main").await);
}

#[tokio::test]
async fn a_seal_across_a_publish_keeps_its_layer_and_a_publish_across_a_seal_goes_through() {
    let lake = with_side().await;
    lake.put("main", "a", "1").await;
    let sealed = async |lake: &Lake| {
        lake.put("main", "a", "2").await;
        lake.seal("main").await;
        lake.put("main", "b", "1").await;
    };
    let published = committed_after(&lake, "main", sealed).await;
    assert!(matches!(published, Published::Done), "{published:?}");
    assert_eq!(lake.content("main@").await, content([("a", "1")]));
    assert_eq!(lake.uncommitted("main").await, ["~a", "+b"]);
    // The other way round: the layer is sealed just before the publish's own transaction commits.
    let other = lake.restarted();
    lake.world.interrupt(move || async move { other.seal("main").await });
    lake.put("main", "c", "1").await;
    lake.commit("main").await;
    assert_eq!(lake.content("main@").await, content([("a", "2"), ("b", "1"), ("c", "1")]));
    assert!(lake.uncommitted("main").await.is_empty());
}
