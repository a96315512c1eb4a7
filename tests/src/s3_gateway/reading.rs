use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::DateTime;

use super::{Lake, refusal, refused};
use crate::lake::{commit, path, reference, write};

#[tokio::test]
async fn what_grpc_wrote_is_read_at_every_ref() {
    let lake = Lake::start().await;
    write(&lake.grpc, "main", "a", "committed").await;
    let head = commit(&lake.grpc, "main").await.unwrap().id.to_hex();
    write(&lake.grpc, "main", "a", "staged").await;
    for (at, expected) in
        [("main", "staged"), ("main@", "committed"), (&head, "committed"), (&head[..8], "committed")]
    {
        assert_eq!(lake.get(&format!("{at}/a")).await, expected, "{at}");
    }
    for (key, code) in [
        ("none/a", "NoSuchKey"),
        ("main/none", "NoSuchKey"),
        ("main~1/a", "NoSuchKey"),
        ("main", "NoSuchKey"),
    ] {
        let get = lake.s3.get_object().bucket("lake").key(key).send().await;
        assert_eq!(refusal(get), refused(404, code), "{key}");
    }
    let nowhere = lake.s3.get_object().bucket("pond").key("main/a").send().await;
    assert_eq!(refusal(nowhere), refused(404, "NoSuchBucket"));
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn an_object_is_described_as_it_was_written() {
    let lake = Lake::start().await;
    let put = lake.s3.put_object().bucket("lake").key("main/a").body(b"hello".to_vec().into());
    let put = put.content_type("text/plain").metadata("Color", "red").send().await.unwrap();
    assert_eq!(put.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let head = lake.s3.head_object().bucket("lake").key("main/a").send().await.unwrap();
    assert_eq!((head.content_length(), head.content_type()), (Some(5), Some("text/plain")));
    assert_eq!((head.e_tag(), head.accept_ranges()), (put.e_tag(), Some("bytes")));
    assert_eq!(head.metadata().unwrap()["color"], "red");
    let get = lake.s3.get_object().bucket("lake").key("main/a").send().await.unwrap();
    assert_eq!((get.content_type(), get.last_modified()), (Some("text/plain"), head.last_modified()));
    let object = lake.grpc.stat_object(&crate::lake::lake(), &reference("main"), &path("a")).await.unwrap();
    assert_eq!(object.entry.metadata["X-Amz-Meta-color"], "red");
    assert_eq!(object.entry.checksum, "5d41402abc4b2a76b9719d911017c592");
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn ranges_are_served() {
    let lake = Lake::start().await;
    lake.put("main/a", "0123456789").await;
    lake.put("main/empty", "").await;
    for (range, expected, said) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=8-100", "89", "bytes 8-9/10"),
        ("bytes=0-0", "0", "bytes 0-0/10"),
    ] {
        let get = lake.s3.get_object().bucket("lake").key("main/a").range(range).send().await.unwrap();
        assert_eq!(get.content_range(), Some(said), "{range}");
        assert_eq!(get.body.collect().await.unwrap().to_vec(), expected.as_bytes(), "{range}");
    }
    for (key, range) in [("main/a", "bytes=10-"), ("main/empty", "bytes=0-"), ("main/a", "bytes=-0")] {
        let get = lake.s3.get_object().bucket("lake").key(key).range(range).send().await;
        assert_eq!(refusal(get), refused(416, "InvalidRange"), "{key} {range}");
    }
    assert_eq!(lake.get("main/empty").await, "");
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn conditions_are_kept() {
    let lake = Lake::start().await;
    lake.put("main/a", "hello").await;
    let get = || lake.s3.get_object().bucket("lake").key("main/a");
    let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
    get().if_match(etag).send().await.unwrap();
    get().if_none_match("\"other\"").send().await.unwrap();
    assert_eq!(refusal(get().if_match("\"other\"").send().await), refused(412, "PreconditionFailed"));
    assert_eq!(refusal(get().if_none_match(etag).send().await).0, 304);
    let future = DateTime::from_secs(4_000_000_000);
    assert_eq!(refusal(get().if_modified_since(future).send().await).0, 304);
    let past = DateTime::from_secs(1_000_000_000);
    assert_eq!(refusal(get().if_unmodified_since(past).send().await).0, 412);
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn presigned_urls_of_users_work_until_they_are_changed() {
    let lake = Lake::start().await;
    let http = crate::s3_gateway::signed::http();
    let ttl = PresigningConfig::expires_in(std::time::Duration::from_secs(60)).unwrap();
    let put =
        lake.s3.put_object().bucket("lake").key("main/dir/a b+c%é").presigned(ttl.clone()).await.unwrap();
    let sent = http.put(put.uri()).body("by url").send().await.unwrap();
    assert_eq!(sent.status(), 200, "{}", sent.text().await.unwrap());
    let get = lake.s3.get_object().bucket("lake").key("main/dir/a b+c%é").response_content_type("text/x");
    let get = get.presigned(ttl).await.unwrap();
    // A client that was sent here by the REST API shows its password as well.
    let answer = http.get(get.uri()).basic_auth("a", Some("b")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/x");
    assert_eq!(answer.text().await.unwrap(), "by url");
    let changed = get.uri().replace("dir/", "dir%2Fother/");
    let answer = http.get(changed).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("SignatureDoesNotMatch"));
    lake.server.stop().await.unwrap();
}
