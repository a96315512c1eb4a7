//! PUT, COPY and DELETE through the SDK.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, Delete, MetadataDirective, ObjectIdentifier};

use super::{refusal, refused};
use crate::testing::{BUCKET, Server, clock, serve};

async fn served() -> (Server, Client) {
    let server = serve(clock()).await;
    let sdk = server.sdk();
    (server, sdk)
}

async fn read(sdk: &Client, key: &str) -> Vec<u8> {
    let get = sdk.get_object().bucket(BUCKET).key(key).send().await.unwrap();
    get.body.collect().await.unwrap().to_vec()
}

async fn put(sdk: &Client, key: &str, body: &'static [u8]) -> String {
    let put = sdk.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(body));
    put.send().await.unwrap().e_tag().unwrap().to_owned()
}

#[tokio::test]
async fn writes_can_be_conditional() {
    let (_server, sdk) = served().await;
    let write = || sdk.put_object().bucket(BUCKET).key("key").body(ByteStream::from_static(b"new"));
    assert_eq!(refusal(write().if_match("\"x\"").send().await), refused(404, "NoSuchKey"));
    let etag = put(&sdk, "key", b"old").await;
    assert_eq!(refusal(write().if_none_match("*").send().await), refused(412, "PreconditionFailed"));
    assert_eq!(refusal(write().if_match("\"x\"").send().await), refused(412, "PreconditionFailed"));
    assert_eq!(refusal(write().if_none_match(&etag).send().await), refused(501, "NotImplemented"));
    assert_eq!(read(&sdk, "key").await, b"old");
    write().if_match(&etag).send().await.unwrap();
    assert_eq!(read(&sdk, "key").await, b"new");
}

#[tokio::test]
async fn a_wrong_checksum_writes_nothing() {
    let (_server, sdk) = served().await;
    let write = || sdk.put_object().bucket(BUCKET).key("key").body(ByteStream::from_static(b"hello"));
    let md5 = write().content_md5("XUFAKrxLKna5cZ2REBfFkQ==").send().await;
    assert_eq!(refusal(md5), refused(400, "BadDigest"));
    let crc = write().checksum_crc32("NhCmhQ==").send().await;
    assert_eq!(refusal(crc), refused(400, "BadDigest"));
    assert_eq!(refusal(sdk.head_object().bucket(BUCKET).key("key").send().await).0, 404);
    let right =
        write().content_md5("XUFAKrxLKna5cZ2REBfFkg==").checksum_crc32("NhCmhg==").send().await.unwrap();
    assert_eq!(right.checksum_crc32(), Some("NhCmhg=="));
}

#[tokio::test]
async fn a_body_in_signed_chunks_with_a_trailing_checksum_is_written() {
    let (_server, sdk) = served().await;
    let body: Vec<u8> = (0..2_500_000_u32).map(|i| (i % 253) as u8).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &body).unwrap();
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha256,
    ] {
        let stream = ByteStream::from_path(file.path()).await.unwrap();
        let put = sdk.put_object().bucket(BUCKET).key("key").body(stream).checksum_algorithm(algorithm);
        put.send().await.unwrap();
        assert!(read(&sdk, "key").await == body);
    }
    let head = sdk.head_object().bucket(BUCKET).key("key").send().await.unwrap();
    assert_eq!(head.content_encoding(), None);
}

#[tokio::test]
async fn a_copy_keeps_or_replaces_attributes() {
    let (_server, sdk) = served().await;
    let put = sdk.put_object().bucket(BUCKET).key("from/a b").body(ByteStream::from_static(b"body"));
    put.content_type("a/b").metadata("color", "blue").send().await.unwrap();
    let copy =
        |to: &str| sdk.copy_object().bucket(BUCKET).key(to).copy_source(format!("{BUCKET}/from/a%20b"));
    copy("kept").send().await.unwrap();
    let kept = sdk.head_object().bucket(BUCKET).key("kept").send().await.unwrap();
    assert_eq!((kept.content_type(), kept.metadata().unwrap().len()), (Some("a/b"), 1));
    let replacing = copy("replaced").metadata_directive(MetadataDirective::Replace).content_type("c/d");
    replacing.send().await.unwrap();
    let replaced = sdk.head_object().bucket(BUCKET).key("replaced").send().await.unwrap();
    assert_eq!((replaced.content_type(), replaced.metadata().unwrap().len()), (Some("c/d"), 0));
    assert_eq!(read(&sdk, "kept").await, b"body");
    let missing =
        sdk.copy_object().bucket(BUCKET).key("x").copy_source(format!("{BUCKET}/none")).send().await;
    assert_eq!(refusal(missing), refused(404, "NoSuchKey"));
    let other = copy("x").copy_source_if_match("\"other\"").send().await;
    assert_eq!(refusal(other), refused(412, "PreconditionFailed"));
}

#[tokio::test]
async fn many_are_removed_at_once() {
    let (_server, sdk) = served().await;
    for key in ["a", "b", "c"] {
        put(&sdk, key, b"x").await;
    }
    let named = |key: &str| ObjectIdentifier::builder().key(key);
    let other = named("b").e_tag("\"other\"").build().unwrap();
    let objects = vec![named("a").build().unwrap(), other, named("none").build().unwrap()];
    let delete = Delete::builder().set_objects(Some(objects)).build().unwrap();
    let answer = sdk.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    let deleted: Vec<_> = answer.deleted().iter().filter_map(|object| object.key()).collect();
    assert_eq!(deleted, ["a", "none"]);
    assert_eq!(answer.errors()[0].code(), Some("PreconditionFailed"));
    let left = sdk.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(left.contents().len(), 2);
}

#[tokio::test]
async fn a_removal_can_be_conditional() {
    let (_server, sdk) = served().await;
    let etag = put(&sdk, "key", b"x").await;
    let delete = || sdk.delete_object().bucket(BUCKET).key("key");
    assert_eq!(refusal(delete().if_match("\"other\"").send().await), refused(412, "PreconditionFailed"));
    delete().if_match(etag).send().await.unwrap();
    delete().send().await.unwrap();
}

#[tokio::test]
async fn buckets_are_there_when_they_are_named() {
    let (_server, sdk) = served().await;
    sdk.create_bucket().bucket("other.local").send().await.unwrap();
    sdk.head_bucket().bucket("other.local").send().await.unwrap();
    let put = sdk.put_object().bucket("used.local").key("key").body(ByteStream::from_static(b"x"));
    put.send().await.unwrap();
    let listed = sdk.list_buckets().send().await.unwrap();
    let names: Vec<_> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, [BUCKET, "used.local"]);
    sdk.get_bucket_location().bucket(BUCKET).send().await.unwrap();
    assert_eq!(sdk.get_bucket_versioning().bucket(BUCKET).send().await.unwrap().status(), None);
}
