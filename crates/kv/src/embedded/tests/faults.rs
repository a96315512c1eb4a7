//! A disk that runs full or fails, while the process goes on.

use super::{
    disk::{Disk, Plan},
    workload, *,
};
use crate::ScanOptions;
use bytes::Bytes;

/// How many operations and syncs the workload takes when nothing goes wrong.
async fn length_of_workload() -> (usize, usize) {
    let disk = Disk::new();
    let store = open_on(disk.clone()).unwrap();
    disk.follow(Plan::default());
    workload::run(&store, 0).await;
    (disk.operations(), disk.syncs())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_full_at_any_write_loses_nothing_and_acknowledges_nothing_false() {
    let mut unknown = 0;
    for full_at in 0..length_of_workload().await.0 {
        let disk = Disk::new();
        let store = open_on(disk.clone()).unwrap();
        disk.follow(Plan { full_at: Some(full_at), ..Plan::default() });
        let told = workload::run(&store, 0).await;
        assert_halted_if_any_failed(&store, &told).await;
        drop(store);

        disk.follow(Plan::default());
        let store = open_on(disk).unwrap_or_else(|error| panic!("full at {full_at}: {error}"));
        workload::check(&store, &told).await.unwrap_or_else(|wrong| panic!("full at {full_at}: {wrong}"));
        workload::assert_writable(&store, &told).await;
        unknown += usize::from(workload::any(&told, |outcome| matches!(outcome, Outcome::Unknown(_))));
    }
    assert!(unknown > 10, "the disk ran full in some commits, not {unknown}");
}

async fn assert_halted_if_any_failed(store: &Embedded, told: &[workload::Told]) {
    let failed = workload::any(told, |outcome| matches!(outcome, Outcome::Refused(_) | Outcome::Unknown(_)));
    match store.begin(Mode::Optimistic).await {
        Ok(_) => assert!(!failed, "a store in doubt takes no writes: {told:?}"),
        Err(error) => {
            assert!(matches!(error, KvError::Halted { .. }), "{error}");
            assert!(store.destroy(KeyRange::all()).await.is_err());
        }
    }
}

/// After a failed sync the system forgets what was to be written; later syncs succeed, and mean nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_sync_nothing_is_acknowledged() {
    let mut halted = 0;
    for failing_sync in 0..length_of_workload().await.1 {
        let disk = Disk::new();
        let store = open_on(disk.clone()).unwrap();
        disk.follow(Plan { failing_sync: Some(failing_sync), ..Plan::default() });
        let mut told = workload::run(&store, 0).await;
        assert_halted_if_any_failed(&store, &told).await;
        halted += usize::from(store.begin(Mode::Optimistic).await.is_err());
        told.extend(workload::run(&store, 1).await);
        drop(store);

        // The medium has what the syncs before made durable, and any of what was written since.
        let store = open_on(disk.after_power_loss(failing_sync as u64));
        let store = store.unwrap_or_else(|error| panic!("sync {failing_sync}: {error}"));
        workload::check(&store, &told).await.unwrap_or_else(|wrong| panic!("sync {failing_sync}: {wrong}"));
        workload::assert_writable(&store, &told).await;
    }
    assert!(halted > 5, "most syncs are those of commits, not {halted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_panics_leaves_commits_unknown_and_the_store_halted() {
    let disk = Disk::new();
    let store = open_on(disk.clone()).unwrap();
    let open_before = store.begin(Mode::Optimistic).await.unwrap();
    disk.follow(Plan { panic_at: Some(3), ..Plan::default() });
    let told = workload::run(&store, 0).await;
    assert!(workload::any(&told, |outcome| matches!(outcome, Outcome::Unknown(_))), "{told:?}");
    assert!(!workload::any(&told, |outcome| matches!(outcome, Outcome::Committed(_))), "{told:?}");
    drop(open_before);
    assert!(matches!(store.begin(Mode::Optimistic).await, Err(KvError::Halted { .. })));
    drop(store);

    let store = open_on(disk.after_power_loss(0)).unwrap();
    workload::check(&store, &told).await.unwrap();
}

#[tokio::test]
async fn a_value_that_rots_on_the_disk_is_named_and_not_served() {
    let disk = Disk::new();
    let store = open_on(disk.clone()).unwrap();
    let mut txn = store.begin(Mode::Optimistic).await.unwrap();
    txn.put(Bytes::from_static(b"a"), Bytes::from_static(b"sound"));
    txn.put(Bytes::from_static(b"b"), Bytes::from_static(b"a value worth keeping"));
    assert!(matches!(txn.commit().await, Outcome::Committed(_)));
    drop(store);

    let store = open_on(disk.rotten(b"worth keeping")).unwrap();
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.get(b"a").await, Ok(Some(Bytes::from_static(b"sound"))));
    let corrupted = KvError::Corrupted { what: "the checksum of 'b' is wrong".to_owned() };
    assert_eq!(snapshot.get(b"b").await, Err(corrupted.clone()));
    assert_eq!(snapshot.scan(&KeyRange::all(), ScanOptions::first(9)).await, Err(corrupted));
}
