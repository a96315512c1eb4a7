use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use braid_types::{Code, Error};
use bytes::Bytes;

use super::store::{Act, CREATE_UPLOAD, LINK_UPLOAD, Store, branch, md5, path, repository};
use crate::tests::fake::Reply;
use crate::{Body, ClientConfig, RetryPolicy, Timeouts, TransferError, UploadOptions};

const DATA: &[u8] = b"some data";

async fn upload(store: &Store, body: &Body, options: &UploadOptions) -> Result<(), TransferError> {
    store.client().upload(&repository(), &branch(), &path(), body, options).await.map(|_| ())
}

async fn upload_data(store: &Store) -> Result<(), TransferError> {
    upload(store, &Bytes::from_static(DATA).into(), &UploadOptions::default()).await
}

fn code(result: Result<(), TransferError>) -> Code {
    match result.unwrap_err() {
        TransferError::Service(error) => error.code(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn data_is_put_and_linked() {
    let store = Store::start(vec![Act::Take]).await;
    store.offer_upload("one", 60);
    store.accept_link(DATA);
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let options = UploadOptions {
        content_type: "text/plain".into(),
        metadata: BTreeMap::from([("k".into(), "v".into())]),
        if_absent: true,
        if_etag: None,
        if_generation: None,
        progress: Some(Arc::new(move |moved| telling.lock().unwrap().push(moved))),
    };
    upload(&store, &Bytes::from_static(DATA).into(), &options).await.unwrap();

    let put = &store.requests()[0];
    assert_eq!((put.method(), put.uri().query()), (&http::Method::PUT, Some("signature=secret")));
    assert_eq!(put.headers()["content-type"], "text/plain");
    assert_eq!(put.headers()["content-length"], "9");
    assert!(!put.headers().contains_key("authorization"), "the object store gets no access key");
    assert_eq!(put.body(), DATA);
    let link = store.linked();
    assert_eq!((link.intent.as_str(), link.checksum, link.size), ("intent of one", md5(DATA), 9));
    assert_eq!(
        (link.content_type.as_str(), &link.metadata, link.if_absent),
        ("text/plain", &options.metadata, true)
    );
    assert_eq!(*told.lock().unwrap(), [9]);
}

#[tokio::test]
async fn files_are_read_in_pieces() {
    let data: Vec<u8> = (0..700_000_u32).map(|n| n as u8).collect();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&data).unwrap();
    let store = Store::start(vec![Act::Status(503), Act::Take]).await;
    store.offer_upload("one", 60);
    store.accept_link(&data);
    let body = Body::open(file.path()).await.unwrap();
    upload(&store, &body, &UploadOptions::default()).await.unwrap();
    assert!(
        store.requests().iter().all(|request| request.body() == &data),
        "the whole again after a failure"
    );
    assert_eq!(store.linked().size, 700_000);
}

#[tokio::test]
async fn an_empty_object_can_be_uploaded() {
    let store = Store::start(vec![Act::Take]).await;
    store.offer_upload("one", 60);
    store.accept_link(b"");
    upload(&store, &Bytes::new().into(), &UploadOptions::default()).await.unwrap();
    assert_eq!(store.requests()[0].headers()["content-length"], "0");
}

#[tokio::test]
async fn failures_of_the_store_are_tried_again_with_the_same_url() {
    let store = Store::start(vec![Act::Status(500), Act::TakeAndBreak, Act::Take]).await;
    store.offer_upload("one", 60);
    store.accept_link(DATA);
    upload_data(&store).await.unwrap();
    assert_eq!(store.urls(), ["/one", "/one", "/one"]);
    assert_eq!(store.linked().intent, "intent of one");
}

#[tokio::test]
async fn attempts_are_bounded() {
    let store = Store::start(vec![Act::Status(503), Act::Status(503), Act::Status(503)]).await;
    store.offer_upload("one", 60);
    assert_eq!(code(upload_data(&store).await), Code::Unavailable);
    assert!(store.server.asked_of(LINK_UPLOAD).is_empty());
}

#[tokio::test]
async fn refused_urls_are_renewed_and_their_intents_with_them() {
    for refusal in [403, 400, 412] {
        let store = Store::start(vec![Act::Status(refusal), Act::Take]).await;
        store.offer_upload("one", 60);
        store.offer_upload("two", 60);
        store.accept_link(DATA);
        upload_data(&store).await.unwrap();
        assert_eq!(store.urls(), ["/one", "/two"]);
        assert_eq!(store.linked().intent, "intent of two");
    }
}

#[tokio::test]
async fn renewals_are_bounded() {
    let store = Store::start(vec![Act::Status(403), Act::Status(403), Act::Status(403)]).await;
    for name in ["one", "two", "three"] {
        store.offer_upload(name, 60);
    }
    assert_eq!(code(upload_data(&store).await), Code::PermissionDenied);
    assert_eq!(store.server.asked_of(CREATE_UPLOAD).len(), 3);
}

#[tokio::test]
async fn expired_urls_are_not_tried() {
    let store = Store::start(vec![Act::Take]).await;
    store.offer_upload("one", 0);
    // The clock may be wrong: a fresh URL is tried even if it looks expired.
    store.offer_upload("two", -1);
    store.accept_link(DATA);
    upload_data(&store).await.unwrap();
    assert_eq!(store.urls(), ["/two"]);
}

#[tokio::test]
async fn other_data_in_the_store_is_noticed() {
    let store = Store::start(vec![Act::TakeAs("d41d8cd98f00b204e9800998ecf8427e")]).await;
    store.offer_upload("one", 60);
    assert_eq!(code(upload_data(&store).await), Code::UploadMismatch);
    assert!(store.server.asked_of(LINK_UPLOAD).is_empty());
}

#[tokio::test]
async fn tags_that_are_no_md5_are_linked_as_they_are() {
    let store = Store::start(vec![Act::TakeAs("abc-2")]).await;
    store.offer_upload("one", 60);
    store.accept_link(DATA);
    upload_data(&store).await.unwrap();
    assert_eq!(store.linked().checksum, "abc-2");
}

#[tokio::test]
async fn a_store_without_tags_is_a_fault() {
    let store = Store::start(vec![Act::Status(200)]).await;
    store.offer_upload("one", 60);
    assert_eq!(code(upload_data(&store).await), Code::Internal);
}

#[tokio::test]
async fn a_file_that_shrinks_is_the_sources_fault() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(10).unwrap();
    let body = Body::open(file.path()).await.unwrap();
    file.as_file().set_len(5).unwrap();
    let store = Store::start(vec![Act::Take]).await;
    store.offer_upload("one", 60);
    let error = upload(&store, &body, &UploadOptions::default()).await.unwrap_err();
    assert!(matches!(error, TransferError::Source { .. }), "{error}");
}

#[tokio::test]
async fn a_refused_link_is_the_servers_word() {
    let store = Store::start(vec![Act::Take]).await;
    store.offer_upload("one", 60);
    let refusal = Error::new(Code::PreconditionFailed, "a/b", "there is an object at 'a/b'");
    store.server.on(LINK_UPLOAD, Reply::error(&refusal));
    assert_eq!(code(upload_data(&store).await), Code::PreconditionFailed);
}

#[tokio::test]
async fn a_store_that_stalls_is_given_up_without_telling_the_url() {
    let store = Store::start(vec![Act::Silence]).await;
    store.offer_upload("one", 60);
    let timeouts = Timeouts { idle: Duration::from_millis(50), ..Timeouts::default() };
    let retry = RetryPolicy { attempts: 1, ..store.server.config().retry };
    let client = store.server.client_with(&ClientConfig { timeouts, retry, ..store.server.config() });
    let (body, options) = (Bytes::from_static(DATA).into(), UploadOptions::default());
    let error = client.upload(&repository(), &branch(), &path(), &body, &options).await.unwrap_err();
    assert_eq!(error.to_string(), "the transfer of 'a/b' stalled");
}

#[tokio::test]
async fn broken_connections_do_not_tell_the_url() {
    let store = Store::start(vec![Act::TakeAndBreak, Act::TakeAndBreak, Act::TakeAndBreak]).await;
    store.offer_upload("one", 60);
    let error = upload_data(&store).await.unwrap_err().to_string();
    assert!(error.contains("the object store failed for 'a/b'"), "{error}");
    assert!(!error.contains("signature"), "{error}");
}
