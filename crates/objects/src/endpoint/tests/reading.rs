//! GET and HEAD through the SDK.

use aws_sdk_s3::Client;
use aws_smithy_types::DateTime;

use super::{refusal, refused};
use crate::testing::{BUCKET, Server, clock, serve};

async fn served() -> (Server, Client) {
    let server = serve(clock()).await;
    let sdk = server.sdk();
    let put = sdk.put_object().bucket(BUCKET).key("key").body(b"0123456789".to_vec().into());
    let put = put.content_type("text/plain").cache_control("max-age=9").content_language("de");
    put.metadata("color", "blue").metadata("owner", "me").send().await.unwrap();
    (server, sdk)
}

#[tokio::test]
async fn attributes_come_back() {
    let (_server, sdk) = served().await;
    let get = sdk.get_object().bucket(BUCKET).key("key").send().await.unwrap();
    assert_eq!(get.content_type(), Some("text/plain"));
    assert_eq!(get.cache_control(), Some("max-age=9"));
    assert_eq!(get.content_language(), Some("de"));
    assert_eq!(get.metadata().unwrap()["color"], "blue");
    assert_eq!(get.last_modified().unwrap().secs(), 1_790_000_000);
    assert_eq!(get.content_length(), Some(10));
    let head = sdk.head_object().bucket(BUCKET).key("key").send().await.unwrap();
    assert_eq!(head.content_length(), Some(10));
    assert_eq!(head.cache_control(), Some("max-age=9"));
    assert_eq!(head.metadata(), get.metadata());
    assert_eq!(head.e_tag(), get.e_tag());
}

#[tokio::test]
async fn an_answer_can_be_told_what_to_say() {
    let (_server, sdk) = served().await;
    let get = sdk.get_object().bucket(BUCKET).key("key").response_cache_control("no-store");
    let get = get.response_content_type("a/b").send().await.unwrap();
    assert_eq!((get.cache_control(), get.content_type()), (Some("no-store"), Some("a/b")));
}

#[tokio::test]
async fn ranges_are_answered_in_part() {
    let (_server, sdk) = served().await;
    for (range, content_range, body) in [
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-2", "bytes 8-9/10", "89"),
        ("bytes=5-99", "bytes 5-9/10", "56789"),
    ] {
        let get = sdk.get_object().bucket(BUCKET).key("key").range(range).send().await.unwrap();
        assert_eq!(get.content_range(), Some(content_range));
        assert_eq!(get.body.collect().await.unwrap().into_bytes(), body);
        let head = sdk.head_object().bucket(BUCKET).key("key").range(range).send().await.unwrap();
        assert_eq!(head.content_length(), Some(i64::try_from(body.len()).unwrap()));
    }
    let beyond = sdk.get_object().bucket(BUCKET).key("key").range("bytes=10-").send().await;
    assert_eq!(refusal(beyond), refused(416, "InvalidRange"));
}

#[tokio::test]
async fn reads_can_be_conditional() {
    let (_server, sdk) = served().await;
    let get = || sdk.get_object().bucket(BUCKET).key("key");
    let head = || sdk.head_object().bucket(BUCKET).key("key");
    let etag = get().send().await.unwrap().e_tag().unwrap().to_owned();
    get().if_match(&etag).send().await.unwrap();
    get().if_none_match("\"other\"").send().await.unwrap();
    assert_eq!(refusal(get().if_match("\"other\"").send().await), refused(412, "PreconditionFailed"));
    assert_eq!(refusal(get().if_none_match(&etag).send().await).0, 304);
    assert_eq!(refusal(head().if_none_match(&etag).send().await).0, 304);
    let written = DateTime::from_secs(1_790_000_000);
    let earlier = DateTime::from_secs(1_789_999_999);
    assert_eq!(refusal(get().if_modified_since(written).send().await).0, 304);
    get().if_modified_since(earlier).send().await.unwrap();
    assert_eq!(refusal(get().if_unmodified_since(earlier).send().await).0, 412);
    get().if_unmodified_since(written).send().await.unwrap();
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let (_server, sdk) = served().await;
    let get = sdk.get_object().bucket(BUCKET).key("none").send().await;
    assert_eq!(refusal(get), refused(404, "NoSuchKey"));
    assert_eq!(refusal(sdk.head_object().bucket(BUCKET).key("none").send().await).0, 404);
}

#[tokio::test]
async fn a_large_object_is_streamed() {
    let (server, sdk) = served().await;
    let body: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 253) as u8).collect();
    server.over_s3(clock()).put("large", body.clone().into(), crate::PutOptions::default()).await.unwrap();
    let mut get = sdk.get_object().bucket(BUCKET).key("large").send().await.unwrap();
    let (mut read, mut chunks) = (Vec::new(), 0);
    while let Some(chunk) = get.body.try_next().await.unwrap() {
        read.extend_from_slice(&chunk);
        chunks += 1;
    }
    assert!(read == body && chunks > 1);
}
