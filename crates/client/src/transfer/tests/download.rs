use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use braid_types::{Code, Error};
use bytes::Bytes;
use tokio::io::AsyncWrite;

use super::store::{Act, GET_URL, Store, md5, path, reference, repository};
use crate::TransferError;
use crate::tests::fake::Reply;

const DATA: &[u8] = b"0123456789";

async fn download(store: &Store) -> Result<Vec<u8>, TransferError> {
    let mut sink = Vec::new();
    store.client().download(&repository(), &reference(), &path(), &mut sink, None).await?;
    Ok(sink)
}

fn code<T: std::fmt::Debug>(result: Result<T, TransferError>) -> Code {
    match result.unwrap_err() {
        TransferError::Service(error) => error.code(),
        other => panic!("{other}"),
    }
}

fn give(status: u16, data: &'static [u8]) -> Act {
    Act::Give(status, Bytes::from_static(data), md5(DATA))
}

fn give_and_break(status: u16, length: u64, data: &'static [u8]) -> Act {
    Act::GiveAndBreak { status, length, data: Bytes::from_static(data), tag: md5(DATA) }
}

fn ranges(store: &Store) -> Vec<Option<String>> {
    let range = |request: &http::Request<Bytes>| {
        request.headers().get("range").map(|value| value.to_str().unwrap().to_owned())
    };
    store.requests().iter().map(range).collect()
}

#[tokio::test]
async fn data_arrives_and_is_checked() {
    let store = Store::start(vec![give(200, DATA)]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    let told = Arc::new(Mutex::new(0));
    let telling = Arc::clone(&told);
    let progress = Arc::new(move |moved| *telling.lock().unwrap() = moved);
    let mut sink = Vec::new();
    let client = store.client();
    let got = client.download(&repository(), &reference(), &path(), &mut sink, Some(progress)).await.unwrap();
    assert_eq!((sink.as_slice(), got.entry.size), (DATA, 10));
    assert_eq!(*told.lock().unwrap(), 10);
    assert!(!store.requests()[0].headers().contains_key("authorization"));
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke_off() {
    let store =
        Store::start(vec![give_and_break(200, 10, b"0123"), Act::Status(503), give_and_break(206, 6, b"45")])
            .await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    assert_eq!(code(download(&store).await), Code::Unavailable, "three attempts");
    assert_eq!(ranges(&store), [None, Some("bytes=4-".into()), Some("bytes=4-".into())]);

    let store = Store::start(vec![give_and_break(200, 10, b"0123"), give(206, b"456789")]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    assert_eq!(download(&store).await.unwrap(), DATA);
}

#[tokio::test]
async fn a_store_without_ranges_does_not_make_data_come_twice() {
    let store = Store::start(vec![give_and_break(200, 10, b"0123"), give(200, DATA)]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    assert_eq!(download(&store).await.unwrap(), DATA);
}

#[tokio::test]
async fn an_answer_that_is_too_short_is_asked_for_the_rest() {
    let store = Store::start(vec![give(200, b"0123"), give(206, b"456789")]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    assert_eq!(download(&store).await.unwrap(), DATA);
    let store = Store::start(vec![give(200, b"0123"), Act::Status(416)]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    assert_eq!(code(download(&store).await), Code::Corrupt, "there is no rest");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_corrupt() {
    let store = Store::start(vec![give(200, b"0123456789x")]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    assert_eq!(code(download(&store).await), Code::Corrupt);
}

#[tokio::test]
async fn other_data_is_corrupt() {
    let store = Store::start(vec![give(200, b"012345678x")]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    assert_eq!(code(download(&store).await), Code::Corrupt);
}

#[tokio::test]
async fn an_empty_object_can_be_downloaded() {
    let store = Store::start(vec![Act::Give(200, Bytes::new(), md5(b""))]).await;
    store.offer_download("one", b"", &md5(b""), 60);
    assert_eq!(download(&store).await.unwrap(), b"");
    let missing = Store::start(vec![Act::Status(404)]).await;
    missing.offer_download("one", b"", &md5(b""), 60);
    assert_eq!(code(download(&missing).await), Code::DataNotFound, "even nothing must be there");
}

#[tokio::test]
async fn refused_and_expired_urls_are_renewed() {
    let store =
        Store::start(vec![give_and_break(200, 10, b"0123"), Act::Status(403), give(206, b"456789")]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    store.offer_download("two", DATA, &md5(DATA), 60);
    assert_eq!(download(&store).await.unwrap(), DATA);
    assert_eq!(store.urls(), ["/one", "/one", "/two"]);

    let store = Store::start(vec![give(200, DATA)]).await;
    store.offer_download("one", DATA, &md5(DATA), 0);
    store.offer_download("two", DATA, &md5(DATA), -1);
    download(&store).await.unwrap();
    assert_eq!(store.urls(), ["/two"]);
}

#[tokio::test]
async fn two_objects_are_never_mixed() {
    let store = Store::start(vec![give_and_break(200, 10, b"0123"), Act::Status(403)]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    store.offer_download_at("two", "elsewhere", DATA, &md5(DATA), 60);
    assert_eq!(code(download(&store).await), Code::Conflict);
}

#[tokio::test]
async fn what_is_not_there_is_not_asked_for_twice() {
    let store = Store::start(vec![Act::Status(404)]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    assert_eq!(code(download(&store).await), Code::DataNotFound);
    store.server.on(GET_URL, Reply::error(&Error::new(Code::ObjectNotFound, "a/b", "there is no object")));
    assert_eq!(code(download(&store).await), Code::ObjectNotFound);
}

/// Takes nothing.
struct Full;

impl AsyncWrite for Full {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::Error::other("no room")))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_sink_that_fails_ends_it() {
    let store = Store::start(vec![give(200, DATA)]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    let client = store.client();
    let error = client.download(&repository(), &reference(), &path(), &mut Full, None).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot write the data downloaded from 'a/b': no room");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_last_byte_has_brought_everything() {
    let store = Store::start(vec![give_and_break(200, 11, DATA)]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    assert_eq!(download(&store).await.unwrap(), DATA);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let store = Store::start(vec![Act::Status(302), give(200, DATA)]).await;
    store.offer_download("one", DATA, &md5(DATA), 60);
    assert_eq!(code(download(&store).await), Code::Internal);
    assert_eq!(store.urls(), ["/one"]);
}
