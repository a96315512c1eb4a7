//! Structural changes beside other writers, step by step.

use braid_kv::Outcome;
use braid_types::Code;
use futures::future::join;

use super::fences::{committed_after, paused_writer};
use super::lake::*;
use crate::operation::publish::Published;
use crate::*;

/// `main` with committed directories `a/` and `b/` of `count` each.
async fn two(count: usize) -> Lake {
    let lake = Lake::new().await;
    lake.fill("main", "a/", count).await;
    lake.fill("main", "b/", count).await;
    lake.commit("main").await;
    lake
}

/// Removing the exclusive fence, or putting its stripes, lets the writer in.
#[tokio::test]
async fn a_paused_writer_cannot_commit_across_a_structural_change() {
    for count in [3, 50] {
        for change in 0..3 {
            let lake = two(count).await;
            let writer = paused_writer(&lake, "main").await;
            match change {
                0 => lake.rename("main", "a/", "c/").await,
                1 => assert!(lake.erase("main", "a/").await),
                _ => {
                    let tree = lake.record_of("main").await.base.unwrap();
                    lake.erase("main", "a/").await;
                    lake.catalog
                        .graft(&repo(), &branch("main"), &prefix("a/"), tree, &lake.mutation())
                        .await
                        .unwrap();
                }
            }
            assert!(matches!(writer.commit().await, Outcome::Conflict(_)), "{count}, change {change}");
            assert_eq!(lake.get("main", "a").await, None);
        }
    }
}

#[tokio::test]
async fn an_if_absent_put_does_not_survive_a_rename_to_its_place() {
    for count in [3, 50] {
        let lake = two(count).await;
        let other = lake.restarted();
        lake.world.interrupt(move || async move { other.rename("main", "a/", "c/").await });
        let refused = lake.stage("main", &[put_if_absent("c/01", "late")]).await.unwrap_err();
        assert_eq!(refused.code(), Code::PreconditionFailed);
        assert_eq!(lake.get("main", "c/01").await.as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn a_put_beside_a_rename_of_its_directory_lands_where_it_says() {
    for count in [3, 50] {
        let lake = two(count).await;
        let other = lake.restarted();
        lake.world.interrupt(move || async move { other.rename("main", "a/", "c/").await });
        lake.put("main", "a/01", "late").await;
        assert_eq!(lake.get("main", "a/01").await.as_deref(), Some("late"));
        assert_eq!(lake.get("main", "c/01").await.as_deref(), Some("1"));
        assert_eq!(lake.content("main").await.len(), 2 * count + 1);
    }
}

#[tokio::test]
async fn of_two_renames_into_one_empty_place_one_is_refused() {
    for count in [3, 50] {
        for _ in 0..10 {
            let lake = two(count).await;
            let other = lake.restarted();
            let (one, two) =
                join(lake.try_move("main", "a/", "c/"), other.try_move("main", "b/", "c/")).await;
            let (moved, refused) = if one.is_ok() { (one, two) } else { (two, one) };
            moved.unwrap();
            assert_eq!(refused.unwrap_err().code(), Code::DestinationExists);
            assert_eq!(lake.content("main").await.len(), 2 * count);
        }
    }
}

#[tokio::test]
async fn two_attempts_of_one_move_are_answered_alike() {
    for count in [3, 50] {
        let lake = two(count).await;
        let (other, by, what) =
            (lake.restarted(), lake.mutation(), move_directory("main", "a/", "c/", false));
        let name = repo();
        let attempts =
            (lake.catalog.move_directory(&name, &what, &by), other.catalog.move_directory(&name, &what, &by));
        let (one, two) = join(attempts.0, attempts.1).await;
        one.unwrap();
        two.unwrap();
        assert_eq!(lake.content("main").await.len(), 2 * count);
    }
}

#[tokio::test]
async fn a_prefix_deleted_written_and_deleted_again_while_an_older_commit_folds_stays_deleted() {
    let lake = two(50).await;
    assert!(lake.erase("main", "a/").await);
    let published = committed_after(&lake, "main", async |lake| {
        lake.fill("main", "a/", 40).await;
        assert!(lake.erase("main", "a/").await);
    });
    assert!(matches!(published.await, Published::Done));
    assert_eq!(lake.record_of("main").await.sealed.len(), 2, "what came later is not part of the commit");
    assert_eq!(lake.content("main@").await.len(), 50);
    assert_eq!(lake.content("main").await.len(), 50);
    assert_eq!(lake.try_commit("main").await.unwrap_err().code(), Code::NothingToCommit);
}

/// The layers look as they did, on the same head and tree: only their ids tell that they are others.
#[tokio::test]
async fn a_commit_does_not_take_a_later_deletion_for_the_one_that_it_folded() {
    let lake = two(50).await;
    assert!(lake.erase("main", "a/").await);
    let repository = lake.catalog.repository(&repo()).await.unwrap();
    let (from, snapshot) = (lake.record_of("main").await, lake.catalog.snapshot().await.unwrap());
    let ranges = lake.catalog.ranges(&repository).await.unwrap();
    let tree = lake.catalog.fold_layers(&ranges, &repository, &from, &snapshot).await.unwrap().tree;
    let published = committed_after(&lake, "main", async |lake| {
        lake.reset("main", ResetScope::All).await;
        assert!(lake.erase("main", "a/").await);
    });
    assert!(matches!(published.await, Published::Outdated(_)));
    let flat = lake.catalog.publish_flat(&repository, &branch("main"), &from, tree).await;
    assert!(!flat.unwrap());
    lake.commit("main").await;
    assert_eq!(lake.content("main@").await.len(), 50);
}
