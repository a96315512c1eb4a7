//! Who is let in.

use reqwest::StatusCode;

use super::{refusal, refused};
use crate::testing::{BUCKET, Server, clock, http, serve};
use crate::{Buckets, ByteRange, ObjectError, PutOptions, S3Buckets, S3Config};

async fn served() -> Server {
    let server = serve(clock()).await;
    server.over_s3(clock()).put("key", "body".into(), PutOptions::default()).await.unwrap();
    server
}

fn with_secret(server: &Server, secret: &str) -> S3Config {
    let mut config = server.config();
    config.credentials.secret_access_key = secret.to_owned();
    config
}

#[tokio::test]
async fn a_wrong_secret_is_denied() {
    let server = served().await;
    let random = std::sync::Arc::new(braid_types::SeededRandom::new(2));
    let store = S3Buckets::new(&with_secret(&server, "wrong"), clock(), random).bucket(BUCKET);
    for error in [
        store.get("key", Some(ByteRange::From(0))).await.unwrap_err(),
        store.head("key").await.unwrap_err(),
        store.put("key", "x".into(), PutOptions::default()).await.unwrap_err(),
        store.put("new", "x".into(), PutOptions::if_absent()).await.unwrap_err(),
        store.delete("key").await.unwrap_err(),
        store.list("", None, 1).await.unwrap_err(),
    ] {
        assert!(matches!(error, ObjectError::Denied { .. }), "{error}");
        assert!(!error.is_retryable() && !error.may_have_happened());
    }
    assert_eq!(server.over_s3(clock()).get("key", None).await.unwrap(), "body");
}

#[tokio::test]
async fn an_unknown_key_is_denied() {
    let server = served().await;
    let mut config = server.config();
    config.credentials.access_key_id = "nobody".to_owned();
    let sdk = crate::s3::client(&config, Some(&server.url));
    assert_eq!(refusal(sdk.get_object().bucket(BUCKET).key("key").send().await).0, 403);
}

#[tokio::test]
async fn without_a_signature_nothing_is_done() {
    let server = served().await;
    let object = format!("{}/{BUCKET}/key", server.url);
    assert_eq!(http().get(&object).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(http().put(&object).body("x").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(http().delete(&object).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let listing = http().get(format!("{}/{BUCKET}?list-type=2", server.url)).send().await.unwrap();
    assert_eq!(listing.status(), StatusCode::FORBIDDEN);
    assert_eq!(http().get(&server.url).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(server.over_s3(clock()).get("key", None).await.unwrap(), "body");
}

#[tokio::test]
async fn version_2_is_not_spoken() {
    let server = served().await;
    let object = format!("{}/{BUCKET}/key", server.url);
    let by_header =
        http().get(&object).header("authorization", "AWS internal:c2lnbmF0dXJl").send().await.unwrap();
    assert_eq!(by_header.status(), StatusCode::BAD_REQUEST);
    let by_url = format!("{object}?AWSAccessKeyId=internal&Expires=9999999999&Signature=c2lnbmF0dXJl");
    assert_eq!(http().get(by_url).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_bucket_without_a_dot_is_not_there() {
    let server = served().await;
    let sdk = server.sdk();
    let missing = refused(404, "NoSuchBucket");
    assert_eq!(refusal(sdk.get_object().bucket("elsewhere").key("key").send().await), missing);
    assert_eq!(refusal(sdk.create_bucket().bucket("elsewhere").send().await), missing);
    let put = sdk.put_object().bucket("elsewhere").key("key").body(b"x".to_vec().into()).send().await;
    assert_eq!(refusal(put), missing);
    let copy = sdk.copy_object().bucket(BUCKET).key("new").copy_source("elsewhere/key").send().await;
    assert_eq!(refusal(copy), missing);
}

#[tokio::test]
async fn an_unknown_sub_resource_leaves_the_object_alone() {
    let server = served().await;
    for query in ["renameObject", "tagging", "acl", "retention"] {
        let answer = http().put(format!("{}/{BUCKET}/key?{query}", server.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_IMPLEMENTED, "{query}");
        assert!(answer.text().await.unwrap().contains("<Code>NotImplemented</Code>"));
    }
    let sdk = server.sdk();
    let tagging = sdk.get_object_tagging().bucket(BUCKET).key("key").send().await;
    assert_eq!(refusal(tagging), refused(501, "NotImplemented"));
    assert_eq!(server.over_s3(clock()).get("key", None).await.unwrap(), "body");
}
