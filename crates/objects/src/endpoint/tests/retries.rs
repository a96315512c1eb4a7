//! A client whose answers get lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{Method, StatusCode};

use crate::testing::{clock, serve_behind};
use crate::{ObjectError, PutOptions};

/// How an answer is lost.
#[derive(Debug, Clone, Copy)]
enum Lost {
    /// The request is carried out, and its answer replaced by an error.
    Reply,
    /// The request is not carried out.
    Request,
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// Loses the answers to the first `count` PUTs.
fn losing(count: usize, lost: Lost) -> impl FnOnce(Router) -> Router {
    let left = Arc::new(AtomicUsize::new(count));
    let lose = move |request: Request, next: Next| {
        let is_put = request.method() == Method::PUT;
        let less = |left: usize| left.checked_sub(1);
        let loses = is_put && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
        async move {
            match (loses, lost) {
                (false, _) => next.run(request).await,
                (true, Lost::Request) => status(StatusCode::INTERNAL_SERVER_ERROR),
                (true, Lost::Reply) => {
                    next.run(request).await;
                    status(StatusCode::INTERNAL_SERVER_ERROR)
                }
            }
        }
    };
    move |router| router.layer(from_fn(lose))
}

#[tokio::test]
async fn a_creator_recognises_its_own_success() {
    for lost in [Lost::Reply, Lost::Request] {
        let server = serve_behind(clock(), losing(1, lost)).await;
        let store = server.over_s3(clock());
        let put = store.put("key", "body".into(), PutOptions::if_absent()).await.unwrap();
        assert_eq!(store.head("key").await.unwrap().etag, put.etag, "{lost:?}");
        let again = store.put("key", "body".into(), PutOptions::if_absent()).await.unwrap_err();
        assert!(matches!(again, ObjectError::AlreadyExists { .. }), "the same content of another writer");
    }
}

#[tokio::test]
async fn when_all_answers_are_lost_the_outcome_is_unknown() {
    let server = serve_behind(clock(), losing(usize::MAX, Lost::Request)).await;
    let store = server.over_s3(clock());
    for options in [PutOptions::default(), PutOptions::if_absent()] {
        let error = store.put("key", "body".into(), options).await.unwrap_err();
        assert!(error.may_have_happened() && error.is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn a_plain_write_is_tried_again() {
    let server = serve_behind(clock(), losing(2, Lost::Reply)).await;
    let store = server.over_s3(clock());
    store.put("key", "body".into(), PutOptions::default()).await.unwrap();
    assert_eq!(store.get("key", None).await.unwrap(), "body");
}
