//! What a browser needs to use presigned URLs from a page of another origin.

use std::time::Duration;

use reqwest::{Method, StatusCode};

use crate::testing::{BUCKET, clock_off_by, http, internal_key, serve};
use crate::{PresignGetOptions, PutOptions};

#[tokio::test]
async fn a_browser_may_send_what_it_asks_to_send() {
    let server = serve(clock_off_by(0)).await;
    let asked = http().request(Method::OPTIONS, format!("{}/{BUCKET}/key?X-Amz-Signature=x", server.url));
    let asked = asked.header("origin", "https://lake.example").header("access-control-request-method", "PUT");
    let asked = asked.header("access-control-request-headers", "content-type, if-none-match");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(answer.headers()["access-control-allow-headers"], "content-type, if-none-match");
    assert!(answer.headers()["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
}

#[tokio::test]
async fn other_paths_have_no_preflight() {
    let server = serve(clock_off_by(0)).await;
    let answer = http().request(Method::OPTIONS, format!("{}/api/v1", server.url)).send().await.unwrap();
    assert!(answer.status().is_client_error() || answer.status().is_server_error(), "{}", answer.status());
}

#[tokio::test]
async fn a_page_may_read_answers_and_refusals() {
    let server = serve(clock_off_by(0)).await;
    let store = server.on_disk(&internal_key());
    store.put("key", "body".into(), PutOptions::default()).await.unwrap();
    let get = store.presign_get("key", Duration::from_secs(60), PresignGetOptions::default()).await.unwrap();
    for (url, status) in [(get.url.clone(), 200), (get.url.replace("Expires=60", "Expires=61"), 403)] {
        let answer = http().get(url).header("origin", "https://lake.example").send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert!(answer.headers()["access-control-expose-headers"].to_str().unwrap().contains("ETag"));
    }
}
