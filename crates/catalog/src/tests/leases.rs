//! Background tasks under leases: one node does them, and one that lost its lease does nothing more.

use std::time::Duration;

use braid_kv::{KeyRange, ScanOptions};
use braid_types::Code;

use super::lake::*;
use crate::lease::Task;
use crate::record::staged;
use crate::{CleanUpReport, Settings};

/// A lake with a deleted repository whose records are to be removed.
async fn with_rubbish() -> Lake {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    lake
}

async fn rows(lake: &Lake, range: &KeyRange) -> usize {
    let snapshot = lake.world.kv.snapshot().await.unwrap();
    snapshot.scan(range, ScanOptions::first(1000).keys_only()).await.unwrap().len()
}

async fn commits(lake: &Lake) -> usize {
    rows(lake, &KeyRange::prefix(b"c")).await
}

fn lifetime() -> Duration {
    Settings::default().lease_lifetime
}

#[tokio::test]
async fn one_node_cleans_up_until_it_lets_go_or_dies() {
    let lake = Lake::new().await;
    let other = lake.restarted();
    lake.clean_up().await;
    assert_eq!(other.catalog.clean_up().await.unwrap(), None);
    lake.catalog.release_leases().await.unwrap();
    other.clean_up().await;
    other.catalog.collect_garbage().await.unwrap();
    assert!(!lake.catalog.collect_garbage().await.unwrap(), "each task has a lease of its own");
    lake.catalog.release_leases().await.unwrap();
    assert_eq!(lake.catalog.clean_up().await.unwrap(), None, "nobody lets go of another's lease");
    lake.world.clock.advance(lifetime());
    assert_eq!(lake.clean_up().await, CleanUpReport::default());
    assert!(lake.catalog.collect_garbage().await.unwrap());
    assert_eq!(other.catalog.clean_up().await.unwrap(), None);
}

#[tokio::test]
async fn a_run_of_the_clean_up_keeps_its_lease() {
    let lake = Lake::new().await;
    let mut lease = lake.catalog.take_lease(Task::CleanUp).await.unwrap().unwrap();
    let other = lake.restarted();
    for _ in 0..4 {
        lake.world.clock.advance(lifetime() / 2);
        lease.keep(&lake.catalog).await.unwrap();
        assert!(other.catalog.take_lease(Task::CleanUp).await.unwrap().is_none());
    }
    lake.world.clock.advance(lifetime());
    other.catalog.take_lease(Task::CleanUp).await.unwrap().unwrap();
    assert_eq!(lease.keep(&lake.catalog).await.unwrap_err().code(), Code::Conflict);
}

#[tokio::test]
async fn a_holder_that_was_paused_and_lost_its_lease_destroys_nothing_more() {
    let lake = with_rubbish().await;
    let lease = lake.catalog.take_lease(Task::CleanUp).await.unwrap().unwrap();
    lake.world.clock.advance(lifetime());
    let other = lake.restarted();
    other.catalog.take_lease(Task::CleanUp).await.unwrap().unwrap();
    let refused = lake.catalog.clean_up_under(lease).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::Conflict, "clean-up"));
    assert_eq!(commits(&lake).await, 2);
}

#[tokio::test]
async fn a_transaction_of_the_clean_up_does_not_outlive_its_lease() {
    let lake = with_rubbish().await;
    let lease = lake.catalog.take_lease(Task::CleanUp).await.unwrap().unwrap();
    let other = lake.restarted();
    // The clean-up has read its lease, and is paused before its first transaction commits.
    lake.world.interrupt(move || async move {
        other.world.clock.advance(lifetime());
        other.catalog.take_lease(Task::CleanUp).await.unwrap().unwrap();
    });
    assert_eq!(lake.catalog.clean_up_under(lease).await.unwrap_err().code(), Code::Conflict);
    let branches = rows(&lake, &KeyRange::prefix(b"b")).await;
    assert_eq!((branches, commits(&lake).await), (1, 2));
}

#[tokio::test]
async fn a_fence_outlives_its_token_by_the_retention_and_still_stops_a_late_writer() {
    let lake = Lake::new().await;
    lake.put("main", "b", "1").await;
    let token = lake.record_of("main").await.open.token;
    let writer = super::fences::paused_writer(&lake, "main").await;
    lake.commit("main").await;
    let Settings { destroy_delay, fence_delay, .. } = Settings::default();
    lake.world.clock.advance(destroy_delay);
    assert_eq!(lake.clean_up().await.tokens, 1);
    assert_eq!(rows(&lake, &staged::content_range(&token)).await, 0);
    assert!(rows(&lake, &staged::fence_range(&token)).await > 0);
    assert!(matches!(writer.commit().await, braid_kv::Outcome::Conflict(_)));
    lake.world.clock.advance(fence_delay - Duration::from_secs(1));
    assert_eq!(lake.clean_up().await.fences, 0);
    lake.world.clock.advance(Duration::from_secs(1));
    assert_eq!(lake.clean_up().await.fences, 1);
    assert_eq!(rows(&lake, &staged::fence_range(&token)).await, 0);
    assert_eq!(lake.clean_up().await, CleanUpReport::default());
}
