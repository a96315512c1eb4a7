//! The file: its lock, its format, what it keeps over restarts.

use super::*;
use crate::embedded::format::FORMAT;
use bytes::Bytes;
use redb::TableDefinition;
use std::path::PathBuf;
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    (directory, path)
}

fn open(path: &Path) -> Result<Embedded, KvError> {
    Embedded::open(path, settings(), clock(), &SeededRandom::new(1))
}

async fn put(store: &Embedded, key: &'static str) -> Timestamp {
    let mut txn = store.begin(Mode::Optimistic).await.unwrap();
    txn.put(Bytes::from(key), Bytes::from_static(b"here"));
    match txn.commit().await {
        Outcome::Committed(timestamp) => timestamp,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn data_id_and_time_outlive_the_process() {
    let (_directory, path) = place();
    let store = open(&path).unwrap();
    let (id, first) = (store.store_id(), put(&store, "a").await);
    let mut locking = store.begin(Mode::Optimistic).await.unwrap();
    locking.lock(Bytes::from_static(b"b"));
    let Outcome::Committed(second) = locking.commit().await else { panic!("nobody was in the way") };
    store.close().await;

    let store = Embedded::open(&path, settings(), clock(), &SeededRandom::new(2)).unwrap();
    assert_eq!(store.store_id(), id);
    let snapshot = store.snapshot_at(second).await.unwrap();
    assert_eq!(snapshot.get(b"a").await.unwrap(), Some(Bytes::from_static(b"here")));
    let third = put(&store, "c").await;
    assert!(first < second && second < third, "{first}, {second}, {third}");
}

#[tokio::test]
async fn a_store_is_open_once() {
    let (_directory, path) = place();
    let store = open(&path).unwrap();
    assert_eq!(open(&path).err(), Some(KvError::InUse { store: path.display().to_string() }));
    put(&store, "a").await;
}

#[tokio::test]
async fn a_dropped_store_lets_its_file_go_though_snapshots_live() {
    let (_directory, path) = place();
    let store = open(&path).unwrap();
    put(&store, "a").await;
    let snapshot = store.snapshot().await.unwrap();
    snapshot.pin();
    drop(store);
    let again = open(&path).unwrap();
    assert_eq!(snapshot.get(b"a").await, Err(KvError::Closed));
    put(&again, "b").await;
}

#[tokio::test]
async fn an_open_transaction_keeps_the_store_until_it_is_over() {
    let (_directory, path) = place();
    let store = open(&path).unwrap();
    let mut txn = store.begin(Mode::Optimistic).await.unwrap();
    drop(store);
    txn.put(Bytes::from_static(b"a"), Bytes::from_static(b"here"));
    assert!(matches!(txn.commit().await, Outcome::Committed(_)));
    let again = open(&path).unwrap();
    assert!(again.snapshot().await.unwrap().get(b"a").await.unwrap().is_some());
}

/// A pinned state keeps pages of the file from being used again.
#[tokio::test]
async fn commits_let_go_of_pins_that_are_over() {
    let clock = clock();
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    let random = SeededRandom::new(1);
    let store = Embedded::open_on(InMemoryBackend::new(), "in memory", settings(), shared, &random).unwrap();
    store.snapshot().await.unwrap().pin();
    put(&store, "a").await;
    assert_eq!(store.0.shared.pinned(), 1);
    clock.advance(settings().max_snapshot_age + Duration::from_secs(1));
    put(&store, "b").await;
    assert_eq!(store.0.shared.pinned(), 0);
}

/// However many commits come while a page of a listing is looked at.
#[tokio::test]
async fn the_file_does_not_grow_without_end_while_a_state_is_pinned() {
    let random = SeededRandom::new(1);
    let settings = EmbeddedSettings { pinned_growth: 8 << 20, ..settings() };
    let (_directory, path) = place();
    let store = Embedded::open(&path, settings, clock(), &random).unwrap();
    let timestamp = {
        let pinned = store.snapshot().await.unwrap();
        pinned.pin();
        pinned.timestamp()
    };
    let length = || store.0.shared.file_length();
    let before = length();
    let mut most = before;
    for _ in 0..2000 {
        let mut txn = store.begin(Mode::Optimistic).await.unwrap();
        txn.put(Bytes::from_static(b"a"), vec![0; 64 << 10].into());
        assert!(matches!(txn.commit().await, Outcome::Committed(_)));
        most = most.max(length());
        let grew = most > before + before.max(8 << 20);
        assert_eq!(store.0.shared.pinned(), usize::from(!grew), "{before}, then {most}");
    }
    assert_eq!(store.0.shared.pinned(), 0, "2,000 commits of 64 KiB");
    assert!(most < before + (64 << 20), "{before}, then {most}");
    let expired = store.snapshot_at(timestamp).await.err();
    assert_eq!(expired, Some(KvError::SnapshotExpired { timestamp }));
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let (_directory, path) = place();
    drop(open(&path).unwrap());
    let facts: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("braid-kv");
    let database = redb::Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(facts).unwrap().insert("format", &(FORMAT + 1).to_be_bytes()[..]).unwrap();
    write.commit().unwrap();
    drop(database);
    assert_eq!(open(&path).err(), Some(KvError::Format { found: FORMAT + 1, supported: FORMAT }));
}

#[test]
fn what_is_no_store_is_refused() {
    let (_directory, path) = place();
    std::fs::write(&path, "these are a user's notes, worth keeping\n".repeat(300)).unwrap();
    assert!(matches!(open(&path), Err(KvError::Corrupted { .. })), "{:?}", open(&path));
    std::fs::remove_file(&path).unwrap();

    let other: TableDefinition<'_, &str, &str> = TableDefinition::new("of another program");
    let database = redb::Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(other).unwrap();
    write.commit().unwrap();
    drop(database);
    assert!(matches!(open(&path), Err(KvError::Corrupted { .. })), "{:?}", open(&path));
}

#[tokio::test]
async fn a_store_half_made_is_made_again() {
    for left_behind in ["", "half a file"] {
        let (_directory, path) = place();
        let new = file::name_while_new(&path);
        std::fs::write(&new, left_behind.repeat(1000)).unwrap();
        std::fs::write(&path, "").unwrap();
        put(&open(&path).unwrap(), "a").await;
        assert!(!new.exists());
    }
}

#[test]
fn a_store_made_by_many_at_once_is_made_once() {
    let (_directory, path) = place();
    let opened = thread::scope(|scope| {
        let openers: Vec<_> = (0..4).map(|_| scope.spawn(|| open(&path))).collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect::<Vec<_>>()
    });
    let (open, refused): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert_eq!(open.len(), 1, "{refused:?}");
    assert!(refused.iter().all(|refused| matches!(refused, Err(KvError::InUse { .. }))), "{refused:?}");
}

#[test]
fn a_missing_directory_is_an_error_of_the_storage() {
    let (directory, _path) = place();
    let refused = open(&directory.path().join("missing/store"));
    assert!(matches!(refused, Err(KvError::Storage { .. })), "{refused:?}");
}
