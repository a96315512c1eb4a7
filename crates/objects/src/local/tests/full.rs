//! A full disk acknowledges nothing, shows nothing half, and is usable again once there is room.

use std::sync::Arc;

use bytes::Bytes;

use super::super::LocalStore;
use super::bucket;
use crate::testing::{Lossy, clock};
use crate::{ObjectError, ObjectStore, PutOptions};

fn open(disk: &Lossy) -> Arc<LocalStore> {
    LocalStore::open_in(Arc::new(disk.clone()), clock()).unwrap()
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
