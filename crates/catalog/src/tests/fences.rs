//! What the fence forbids, step by step.

use std::collections::BTreeMap;

use braid_kv::Outcome;
use braid_tree::Value;
use braid_types::{Code, Commit, Time};

use super::lake::*;
use crate::operation::publish::{Published, Target};
use crate::operation::stage::{Ahead, Step};
use crate::record::BranchRecord;
use crate::record::path_change::PathState;
use crate::{BranchAddress, Mutation, RepositoryRecord};

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

/// A repository, its branch `main` as it is now, and an empty commit on top of it.
async fn before_a_publish(lake: &Lake) -> (RepositoryRecord, BranchRecord, Commit) {
    let repository = lake.catalog.repository(&repo()).await.unwrap();
    let snapshot = lake.catalog.snapshot().await.unwrap();
    let record = crate::catalog::load_branch(&snapshot, &repository, &branch("main")).await.unwrap();
    let commit = Commit {
        parents: vec![record.head],
        metarange: None,
        committer: "tester".into(),
        message: "late".into(),
        metadata: BTreeMap::new(),
        time: Time::from_seconds(9),
        generation: 2,
        version: 1,
    };
    (repository, record, commit)
}

#[tokio::test]
async fn a_merge_that_is_about_to_publish_sees_what_was_staged_meanwhile() {
    let lake = Lake::new().await;
    let (repository, record, commit) = before_a_publish(&lake).await;
    lake.put("main", "a", "1").await;
    let (main, mutation) = (branch("main"), lake.mutation());
    let target = Target { repository: &repository, branch: &main };
    let request = mutation.of("merge", &[]);
    let refused = lake.catalog.publish_foreign(target, &record, &commit, &request).await.unwrap_err();
    assert_eq!(refused.code(), Code::DirtyBranch);
    assert_eq!(lake.content("main").await, content([("a", "1")]));
}

#[tokio::test]
async fn nothing_is_published_onto_a_branch_that_is_no_longer_what_the_work_began_from() {
    let moved = async |lake: &Lake| {
        lake.put("main", "a", "1").await;
        lake.commit("main").await;
    };
    let remade = async |lake: &Lake| {
        lake.catalog.delete_branch(&repo(), &branch("side"), &lake.mutation()).await.unwrap();
        lake.branch("side", "main").await;
    };
    let lake = Lake::new().await;
    let (repository, record, commit) = before_a_publish(&lake).await;
    moved(&lake).await;
    assert_lost(&lake, &repository, "main", &record, &commit).await;
    assert_eq!(lake.content("main@").await, content([("a", "1")]));

    lake.branch("side", "main").await;
    let snapshot = lake.catalog.snapshot().await.unwrap();
    let record = crate::catalog::load_branch(&snapshot, &repository, &branch("side")).await.unwrap();
    remade(&lake).await;
    assert_lost(&lake, &repository, "side", &record, &commit).await;
}

async fn assert_lost(
    lake: &Lake,
    repository: &RepositoryRecord,
    on: &str,
    record: &BranchRecord,
    commit: &Commit,
) {
    let name = branch(on);
    let target = Target { repository, branch: &name };
    let mutations: [Mutation; 2] = [lake.mutation(), lake.mutation()];
    let own =
        lake.catalog.publish_own(target, record, commit, &mutations[0].of("commit", &[])).await.unwrap();
    assert!(matches!(own, Published::Lost(_)), "{own:?}");
    let foreign =
        lake.catalog.publish_foreign(target, record, commit, &mutations[1].of("merge", &[])).await.unwrap();
    assert!(matches!(foreign, Published::Lost(_)), "{foreign:?}");
}
