//! Readers see one state of an object, and never damage.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;

use super::super::{Attributes, Condition, LocalError, LocalStore};
use super::bucket;
use crate::testing::{Lossy, clock};
use crate::{ByteRange, ObjectError, PutOptions};

const BUCKET: &str = "braid.local";

fn open(disk: &Lossy) -> Arc<LocalStore> {
    LocalStore::open_in(Arc::new(disk.clone()), clock(), 0).unwrap()
}

async fn put(store: &Arc<LocalStore>, key: &str, body: &Bytes) {
    bucket(store).put(key, body.clone(), PutOptions::default()).await.unwrap();
}

#[tokio::test]
async fn an_open_object_is_read_to_its_end_whatever_happens_to_it() {
    let disk = Lossy::default();
    let store = open(&disk);
    let body = Bytes::from(vec![1; 3_000_000]);
    put(&store, "key", &body).await;
    let content = store.content(BUCKET, "key").unwrap();
    put(&store, "key", &Bytes::from_static(b"other")).await;
    store.delete(BUCKET, "key", Condition::None).await.unwrap();
    store.settled().await;
    let read: BytesMut = content.stream(0..3_000_000).try_collect().await.unwrap();
    assert_eq!(read, body);
    store.settled().await;
    assert_eq!(disk.count_files(), 0, "the content of a removed object goes with its last reader");
}

#[tokio::test]
async fn content_that_nobody_names_goes() {
    let disk = Lossy::default();
    let store = open(&disk);
    let body = Bytes::from_static(b"body");
    put(&store, "key", &body).await;
    put(&store, "key", &body).await;
    let refused = bucket(&store).put("key", body.clone(), PutOptions::if_absent()).await;
    assert!(matches!(refused, Err(ObjectError::AlreadyExists { .. })));
    let mut dropped = store.upload("key").unwrap();
    dropped.write(Bytes::from(vec![0; 2 << 20])).await.unwrap();
    drop(dropped);
    store.settled().await;
    assert_eq!(disk.count_files(), 1);
}

#[tokio::test]
async fn damage_is_named_and_never_served() {
    let disk = Lossy::default();
    let store = open(&disk);
    put(&store, "key", &Bytes::from(vec![1; 200_000])).await;
    disk.damage_content();
    for range in [None, Some(ByteRange::Span(5, 6))] {
        let error = bucket(&store).get("key", range).await.unwrap_err();
        let ObjectError::Damaged { key, offset, .. } = &error else { panic!("{error}") };
        assert_eq!((key.as_str(), *offset), ("key", Some(0)), "the first block is the damaged one");
    }
    assert_eq!(bucket(&store).get("key", Some(ByteRange::Last(9))).await.unwrap().len(), 9);
}

async fn put_part(store: &LocalStore, upload: &str, number: u16, body: &'static [u8]) -> String {
    let mut content = store.upload("key").unwrap();
    content.write(Bytes::from_static(body)).await.unwrap();
    let written = content.finish().await.unwrap();
    store.put_part(BUCKET, "key", upload, number, written).await.unwrap()
}

#[tokio::test]
async fn parts_become_one_object_and_the_rest_goes() {
    let disk = Lossy::default();
    let store = open(&disk);
    let upload = store.start_upload(BUCKET, "key", Attributes::default()).await.unwrap();
    put_part(&store, &upload, 1, b"replaced").await;
    let two = put_part(&store, &upload, 2, b"world").await;
    let one = put_part(&store, &upload, 1, b"hello ").await;
    put_part(&store, &upload, 3, b"unused").await;
    let parts = vec![(1, one), (2, two)];
    let etag = store.complete_upload(BUCKET, "key", &upload, parts.clone(), Condition::None).await.unwrap();
    assert!(etag.ends_with("-2"), "{etag}");
    let after = open(&disk.after_crash());
    assert_eq!(bucket(&after).get("key", None).await.unwrap(), "hello world");
    assert_eq!(bucket(&after).get("key", Some(ByteRange::Span(4, 8))).await.unwrap(), "o wo");
    store.settled().await;
    assert_eq!(disk.count_files(), 2);
    let again = store.complete_upload(BUCKET, "key", &upload, parts, Condition::None).await.unwrap_err();
    assert!(matches!(again, LocalError::NoSuchUpload { .. }));
}

#[tokio::test]
async fn a_refused_completion_leaves_the_upload_as_it_was() {
    let disk = Lossy::default();
    let store = open(&disk);
    put(&store, "key", &Bytes::from_static(b"taken")).await;
    let upload = store.start_upload(BUCKET, "key", Attributes::default()).await.unwrap();
    let one = put_part(&store, &upload, 1, b"1").await;
    let two = put_part(&store, &upload, 2, b"2").await;
    let complete = async |parts: Vec<(u16, String)>, condition| {
        store.complete_upload(BUCKET, "key", &upload, parts, condition).await
    };
    let both = vec![(1, one.clone()), (2, two.clone())];
    let order = complete(vec![(2, two.clone()), (1, one.clone())], Condition::None).await.unwrap_err();
    assert!(matches!(order, LocalError::PartOrder { .. }));
    let twice = complete(vec![(1, one.clone()), (1, one)], Condition::None).await.unwrap_err();
    assert!(matches!(twice, LocalError::PartOrder { .. }));
    let wrong = complete(vec![(1, two)], Condition::None).await.unwrap_err();
    assert!(matches!(wrong, LocalError::InvalidPart { number: 1, .. }));
    let taken = complete(both.clone(), Condition::Absent).await.unwrap_err();
    assert!(matches!(taken, LocalError::Object(ObjectError::AlreadyExists { .. })));
    assert_eq!(bucket(&store).get("key", None).await.unwrap(), "taken");
    complete(both, Condition::Present).await.unwrap();
    assert_eq!(bucket(&store).get("key", None).await.unwrap(), "12");
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let disk = Lossy::default();
    let store = open(&disk);
    let upload = store.start_upload(BUCKET, "key", Attributes::default()).await.unwrap();
    put_part(&store, &upload, 1, b"1").await;
    let elsewhere = store.abort_upload(BUCKET, "other", &upload).await.unwrap_err();
    assert!(matches!(elsewhere, LocalError::NoSuchUpload { .. }));
    store.abort_upload(BUCKET, "key", &upload).await.unwrap();
    store.settled().await;
    assert_eq!(disk.count_files(), 0);
    let mut content = store.upload("key").unwrap();
    content.write(Bytes::from_static(b"late")).await.unwrap();
    let late = store.put_part(BUCKET, "key", &upload, 2, content.finish().await.unwrap()).await.unwrap_err();
    assert!(matches!(late, LocalError::NoSuchUpload { .. }));
    store.settled().await;
    assert_eq!(disk.count_files(), 0);
}

#[tokio::test]
async fn a_write_may_ask_for_what_it_replaces() {
    let store = open(&Lossy::default());
    let write = async |condition| {
        let mut upload = store.upload("key").unwrap();
        upload.write(Bytes::from_static(b"body")).await.unwrap();
        let written = upload.finish().await.unwrap();
        store.put(BUCKET, "key", written, Attributes::default(), condition).await
    };
    let missing = write(Condition::Matches("x".to_owned())).await.unwrap_err();
    assert!(matches!(missing, LocalError::Object(ObjectError::NotFound { .. })));
    let etag = write(Condition::Absent).await.unwrap();
    let other = write(Condition::Matches("x".to_owned())).await.unwrap_err();
    let LocalError::Object(ObjectError::Changed { found, .. }) = other else { panic!("{other}") };
    assert_eq!(found.as_ref(), Some(&etag));
    write(Condition::Matches(etag)).await.unwrap();
    let delete = store.delete(BUCKET, "key", Condition::Matches("x".to_owned())).await.unwrap_err();
    assert!(matches!(delete, LocalError::Object(ObjectError::Changed { .. })));
}
