//! A full disk acknowledges nothing, shows nothing half, and is usable again once there is room.

use std::sync::Arc;

use bytes::Bytes;

use super::super::LocalStore;
use super::bucket;
use crate::testing::{Lossy, clock};
use crate::{ObjectError, ObjectStore, PutOptions};

fn open(disk: &Lossy) -> Arc<LocalStore> {
    LocalStore::open_in(Arc::new(disk.clone()), clock(), 0).unwrap()
}

async fn put(store: &Arc<dyn ObjectStore>, key: &str) -> Result<(), ObjectError> {
    store.put(key, Bytes::from(vec![7; 10_000]), PutOptions::default()).await.map(|_| ())
}

/// Writes objects until one is refused; answers how many were acknowledged, and why the next was not.
async fn fill(store: &Arc<dyn ObjectStore>) -> (usize, ObjectError) {
    for number in 0.. {
        if let Err(error) = put(store, &format!("key {number}")).await {
            return (number, error);
        }
    }
    unreachable!("the disk is full at last")
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_recovers() {
    let mut refused = 0;
    for room in (0..300_000).step_by(7_001) {
        let disk = Lossy::default();
        let store = open(&disk);
        let objects = bucket(&store);
        disk.set_room(Some(room));
        let (acknowledged, error) = fill(&objects).await;
        let last = format!("key {acknowledged}");
        assert_eq!(error.key(), last);
        disk.set_room(None);
        let found = objects.get(&last, None).await;
        if matches!(error, ObjectError::NoSpace { .. }) {
            refused += 1;
            assert_eq!(found, Err(ObjectError::NotFound { key: last.clone() }), "room {room}");
            store.settled().await;
            assert_eq!(disk.count_files(), acknowledged, "room {room}");
        } else {
            assert!(error.may_have_happened(), "room {room}: {error}");
        }
        put(&objects, &last).await.unwrap();
        let store = open(&disk.after_crash());
        for number in 0..=acknowledged {
            assert_eq!(bucket(&store).get(&format!("key {number}"), None).await.unwrap().len(), 10_000);
        }
    }
    assert!(refused > 20, "{refused}");
}

#[tokio::test]
async fn a_failed_sync_of_the_index_is_not_taken_for_a_success_or_a_failure() {
    let mut unknown = 0;
    for syncs in 0..4 {
        let disk = Lossy::default();
        let store = open(&disk);
        let objects = bucket(&store);
        disk.fail_index_sync_after(syncs);
        let Err(error) = put(&objects, "key").await else { break };
        store.settled().await;
        let found = objects.get("key", None).await;
        if error.may_have_happened() {
            unknown += 1;
            assert_eq!(found.expect("what may have happened is seen whole").len(), 10_000);
        } else {
            assert_eq!(found, Err(ObjectError::NotFound { key: "key".to_owned() }), "{error}");
            assert_eq!(disk.count_files(), 0);
        }
        put(&objects, "key").await.unwrap();
    }
    assert!(unknown > 0);
}
