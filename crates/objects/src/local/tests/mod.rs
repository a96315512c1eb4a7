//! The local store on a real disk, and on one that forgets.

mod crash;
mod full;
mod model;
mod reading;

use std::sync::Arc;

use super::{LocalBuckets, LocalStore};
use crate::testing::{Fixture, clock, conformance, conformance_transfers};
use crate::{Buckets, InternalKey, ObjectStore};

fn key() -> InternalKey {
    InternalKey { access_key_id: "internal".to_owned(), secret: "secret".to_owned() }
}

/// The bucket `braid.local` of a store.
fn bucket(store: &Arc<LocalStore>) -> Arc<dyn ObjectStore> {
    LocalBuckets::new(Arc::clone(store), "http://127.0.0.1:1", &key()).bucket("braid.local")
}

async fn on_disk() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(&folder.path().join("made/on/the/way"), clock()).unwrap();
    Fixture { store: bucket(&store), _keep: Box::new(folder) }
}

conformance!(on_disk);
conformance_transfers!(on_disk);
conformance_transfers!(on_disk; little_of_a_stream_is_held_at_once);
conformance!(on_disk; the_longest_key_is_a_key);

#[tokio::test]
async fn a_store_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path(), clock()).unwrap();
    let second = LocalStore::open(folder.path(), clock());
    assert!(matches!(second, Err(super::OpenError::Index(redb::DatabaseError::DatabaseAlreadyOpen))));
    drop(store);
    LocalStore::open(folder.path(), clock()).unwrap();
}

#[tokio::test]
async fn buckets_do_not_share_keys() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path(), clock()).unwrap();
    let buckets = LocalBuckets::new(Arc::clone(&store), "http://127.0.0.1:1", &key());
    let (one, two) = (buckets.bucket("one.local"), buckets.bucket("two.local"));
    one.put("key", "1".into(), crate::PutOptions::default()).await.unwrap();
    two.put("key", "2".into(), crate::PutOptions::if_absent()).await.unwrap();
    assert_eq!(one.get("key", None).await.unwrap(), "1");
    assert_eq!(one.list("", None, 10).await.unwrap().items.len(), 1);
    assert_eq!(store.buckets().await.unwrap(), ["one.local", "two.local"]);
}
