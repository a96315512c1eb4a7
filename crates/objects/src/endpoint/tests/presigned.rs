//! Presigned URLs, with a client that knows nothing of S3.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use crate::testing::{Server, clock_off_by, http, internal_key, serve};
use crate::{
    InternalKey, ObjectError, ObjectStore, PartPlace, PresignGetOptions, PresignPutOptions, Presigned,
    PutOptions,
};

const TTL: Duration = Duration::from_secs(60);

async fn served() -> (Server, Arc<dyn ObjectStore>) {
    let server = serve(clock_off_by(0)).await;
    let store = server.on_disk(&internal_key());
    store.put("dir/a b+c%é.txt", "hello".into(), PutOptions::default()).await.unwrap();
    (server, store)
}

async fn upload(put: &Presigned, body: &'static str) -> StatusCode {
    let mut request = http().put(&put.url).body(body);
    for (name, value) in &put.headers {
        request = request.header(name, value);
    }
    request.send().await.unwrap().status()
}

async fn fetch(url: &str) -> (StatusCode, String) {
    let answer = http().get(url).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

async fn get_url(store: &Arc<dyn ObjectStore>) -> String {
    store.presign_get("dir/a b+c%é.txt", TTL, PresignGetOptions::default()).await.unwrap().url
}

#[tokio::test]
async fn an_object_is_fetched_by_url() {
    let (server, store) = served().await;
    for store in [store, server.over_s3(clock_off_by(0))] {
        assert_eq!(fetch(&get_url(&store).await).await, (StatusCode::OK, "hello".to_owned()));
    }
}

#[tokio::test]
async fn the_answer_says_what_was_asked_for() {
    let (_server, store) = served().await;
    let options = PresignGetOptions {
        content_type: Some("text/markdown".to_owned()),
        download_name: Some("é.md".to_owned()),
    };
    let get = store.presign_get("dir/a b+c%é.txt", TTL, options).await.unwrap();
    let answer = http().get(&get.url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/markdown");
    let disposition = &answer.headers()["content-disposition"];
    assert_eq!(disposition, "attachment; filename=\"_.md\"; filename*=UTF-8''%C3%A9.md");
}

#[tokio::test]
async fn a_range_can_be_fetched_by_url() {
    let (_server, store) = served().await;
    let answer = http().get(get_url(&store).await).header("range", "bytes=1-2").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(answer.headers()["content-range"], "bytes 1-2/5");
    assert_eq!(answer.text().await.unwrap(), "el");
}

#[tokio::test]
async fn an_object_is_written_by_url() {
    let (server, store) = served().await;
    for (key, presigner) in [("new", Arc::clone(&store)), ("new2", server.over_s3(clock_off_by(0)))] {
        let options = PresignPutOptions {
            content_type: Some("text/plain".to_owned()),
            content_length: Some(4),
            if_absent: true,
        };
        let put = presigner.presign_put(key, TTL, options).await.unwrap();
        assert_eq!(upload(&put, "four").await, StatusCode::OK);
        assert_eq!(store.get(key, None).await.unwrap(), "four");
        assert_eq!(store.head(key).await.unwrap().content_type.as_deref(), Some("text/plain"));
        assert_eq!(upload(&put, "once").await, StatusCode::PRECONDITION_FAILED);
        assert_eq!(store.get(key, None).await.unwrap(), "four");
    }
}

#[tokio::test]
async fn what_was_signed_cannot_be_left_out() {
    let (_server, store) = served().await;
    let options = PresignPutOptions {
        content_type: Some("text/plain".to_owned()),
        content_length: Some(4),
        if_absent: true,
    };
    let put = store.presign_put("new", TTL, options).await.unwrap();
    for left_out in ["content-type", "if-none-match"] {
        let headers = put.headers.iter().filter(|(name, _)| name != left_out).cloned().collect();
        let less = Presigned { headers, ..put.clone() };
        assert_eq!(upload(&less, "four").await, StatusCode::FORBIDDEN, "{left_out}");
    }
    assert_eq!(upload(&put, "longer").await, StatusCode::FORBIDDEN);
    assert!(matches!(store.head("new").await, Err(ObjectError::NotFound { .. })));
}

#[tokio::test]
async fn a_changed_url_is_refused() {
    let (_server, store) = served().await;
    store.put("dir/other", "secret".into(), PutOptions::default()).await.unwrap();
    let url = get_url(&store).await;
    let other_key = url.replace("a%20b%2Bc%25%C3%A9.txt", "other");
    assert_ne!(other_key, url);
    let longer_life = url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000");
    assert_ne!(longer_life, url);
    let more = format!("{url}&response-content-type=text%2Fhtml");
    for changed in [other_key, longer_life, more] {
        assert_eq!(fetch(&changed).await.0, StatusCode::FORBIDDEN, "{changed}");
    }
    assert_eq!(http().put(&url).body("x").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(http().delete(&url).send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_expired_url_is_refused() {
    let server = serve(clock_off_by(-1)).await;
    let store = server.on_disk(&internal_key());
    store.put("dir/a b+c%é.txt", "hello".into(), PutOptions::default()).await.unwrap();
    let (status, said) = fetch(&get_url(&store).await).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(said.contains("expired"), "{said}");
    let put = store.presign_put("new", TTL, PresignPutOptions::default()).await.unwrap();
    assert_eq!(upload(&put, "late").await, StatusCode::FORBIDDEN);
    assert!(matches!(store.head("new").await, Err(ObjectError::NotFound { .. })));
}

#[tokio::test]
async fn a_url_of_another_key_is_refused() {
    let (server, _) = served().await;
    let known = internal_key();
    for key in [
        InternalKey { secret: "another".to_owned(), ..known.clone() },
        InternalKey { access_key_id: "another".to_owned(), ..known },
    ] {
        assert_eq!(fetch(&get_url(&server.on_disk(&key)).await).await.0, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn parts_are_uploaded_by_url() {
    let (server, store) = served().await;
    for store in [store, server.over_s3(clock_off_by(0))] {
        let upload = store.start_upload("dir/é +%", None).await.unwrap();
        let mut parts = Vec::new();
        for (number, body) in [(1, "first "), (2, "second")] {
            let place = PartPlace { key: "dir/é +%", upload: &upload, number };
            let put = store.presign_part(place, TTL, Some(6)).await.unwrap();
            assert_ne!(self::upload(&put, "too long").await, StatusCode::OK);
            let answer = http().put(&put.url).body(body).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            let etag = answer.headers()["etag"].to_str().unwrap().trim_matches('"').to_owned();
            parts.push((number, etag));
        }
        store.complete_upload("dir/é +%", &upload, &parts).await.unwrap();
        assert_eq!(store.get("dir/é +%", None).await.unwrap(), "first second");
    }
}
