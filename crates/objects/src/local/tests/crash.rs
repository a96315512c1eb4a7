//! What was acknowledged outlives a crash; what was not is there whole, or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::super::upload::Written;
use super::super::{LocalStore, Upload};
use super::bucket;
use crate::testing::{Lossy, Synced, clock};
use crate::{ObjectError, ObjectStore, PutOptions};

/// Two blocks of a content file, to be seen to be whole.
const SIZE: usize = 70_000;

fn body(seed: u8) -> Bytes {
    Bytes::from(vec![seed; SIZE])
}

fn open(disk: &Lossy) -> Arc<LocalStore> {
    LocalStore::open_in(Arc::new(disk.clone()), clock(), 0).unwrap()
}

async fn put(store: &Arc<dyn ObjectStore>, key: &str, seed: u8) -> Result<(), ObjectError> {
    store.put(key, body(seed), PutOptions::default()).await.map(|_| ())
}

/// Whether an acknowledged object is whole after a crash.
async fn survives(disk: &Lossy) -> bool {
    let store = open(disk);
    put(&bucket(&store), "key", 1).await.unwrap();
    let crashed = disk.after_crash();
    let Ok(store) = LocalStore::open_in(Arc::new(crashed), clock(), 0) else { return false };
    matches!(bucket(&store).get("key", None).await, Ok(found) if found == body(1))
}

#[tokio::test]
async fn an_acknowledged_object_survives() {
    assert!(survives(&Lossy::default()).await);
}

#[tokio::test]
async fn every_sync_is_needed() {
    for synced in [Synced::File, Synced::Shard, Synced::Content, Synced::Root, Synced::Index] {
        assert!(!survives(&Lossy::forgetting(synced)).await, "{synced:?}");
    }
}

#[tokio::test]
async fn an_acknowledged_removal_survives() {
    let disk = Lossy::default();
    let store = open(&disk);
    put(&bucket(&store), "key", 1).await.unwrap();
    bucket(&store).delete("key").await.unwrap();
    let store = open(&disk.after_crash());
    let error = bucket(&store).get("key", None).await.unwrap_err();
    assert_eq!(error, ObjectError::NotFound { key: "key".to_owned() });
}

/// Writes, replaces and removes a few keys until the machine dies; answers, for each key, what may be there: what
/// was acknowledged last, and what was tried after it.
async fn work_until_death(store: &Arc<dyn ObjectStore>) -> BTreeMap<String, Vec<Option<u8>>> {
    let mut may_be: BTreeMap<String, Vec<Option<u8>>> = BTreeMap::new();
    for round in 0..3_u8 {
        for key in ["a", "a/b", "c"] {
            let states = may_be.entry(key.to_owned()).or_insert_with(|| vec![None]);
            let wanted = (round != 1 || key != "c").then_some(round * 10 + 1);
            let outcome = match wanted {
                Some(seed) => put(store, key, seed).await,
                None => store.delete(key).await,
            };
            match outcome {
                Ok(()) => *states = vec![wanted],
                Err(error) if error.may_have_happened() => states.push(wanted),
                Err(_) => {}
            }
        }
    }
    may_be
}

#[tokio::test]
async fn a_crash_at_any_moment_leaves_whole_objects_and_nothing_else() {
    for changes in (0..400).step_by(5) {
        let disk = Lossy::default();
        let store = open(&disk);
        disk.die_after(changes);
        let may_be = work_until_death(&bucket(&store)).await;
        let crashed = disk.after_crash();
        let store = open(&crashed);
        let mut left = 0;
        for (key, states) in may_be {
            let found = match bucket(&store).get(&key, None).await {
                Ok(found) => Some(found),
                Err(ObjectError::NotFound { .. }) => None,
                Err(error) => panic!("{changes} changes: {error}"),
            };
            let expected = states.iter().any(|state| state.map(body) == found);
            assert!(expected, "{changes} changes: {key} may be {states:?}");
            left += usize::from(found.is_some());
        }
        store.settled().await;
        assert_eq!(crashed.count_files(), left, "{changes} changes");
    }
}

#[tokio::test]
async fn what_a_crash_leaves_behind_is_removed() {
    let disk = Lossy::default();
    let store = open(&disk);
    put(&bucket(&store), "kept", 1).await.unwrap();
    let mut unfinished = store.upload("half").unwrap();
    unfinished.write(body(2).repeat(20).into()).await.unwrap();
    let written = store.upload("unnamed").unwrap();
    let unnamed = finished(written).await;
    assert_eq!(disk.count_files(), 3);
    let killed = disk.after_kill();
    let next = open(&killed);
    next.settled().await;
    assert_eq!(killed.count_files(), 1);
    assert_eq!(bucket(&next).get("kept", None).await.unwrap(), body(1));
    drop((unfinished, unnamed));
}

async fn finished(mut upload: Upload) -> Written {
    upload.write(body(3)).await.unwrap();
    upload.finish().await.unwrap()
}

#[tokio::test]
async fn what_is_being_written_is_not_swept() {
    let disk = Lossy::default();
    let store = open(&disk);
    let upload = store.upload("key").unwrap();
    let mut half = store.upload("key").unwrap();
    half.write(body(2).repeat(20).into()).await.unwrap();
    let written = finished(upload).await;
    store.sweep_now();
    assert_eq!(disk.count_files(), 2);
    drop((written, half));
    store.settled().await;
    assert_eq!(disk.count_files(), 0);
}
