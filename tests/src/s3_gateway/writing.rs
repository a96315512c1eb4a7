use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, Delete, ObjectIdentifier};
use braid_client::CreateBranch;

use super::signed::{Signed, http};
use super::{Lake, refusal, refused};
use crate::lake::{branch, lake as name, read, reference};

#[tokio::test]
async fn what_was_written_is_staged_and_read_by_grpc() {
    let lake = Lake::start().await;
    lake.put("main/dir/a", "one").await;
    assert_eq!(read(&lake.grpc, "main", "dir/a").await, "one");
    lake.put("main/dir/a", "another").await;
    assert_eq!(lake.get("main/dir/a").await, "another");
    for key in ["none/a", "main@/a", "main~1/a"] {
        let put = lake.s3.put_object().bucket("lake").key(key).body(vec![1].into()).send().await;
        assert_eq!(refusal(put), refused(404, "NoSuchBucket"), "{key}");
    }
    let nowhere = lake.s3.put_object().bucket("pond").key("main/a").body(vec![1].into()).send().await;
    assert_eq!(refusal(nowhere), refused(404, "NoSuchBucket"));
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn the_root_of_a_branch_is_there_as_a_directory() {
    let lake = Lake::start().await;
    let make = |key: &str, body: &'static [u8]| {
        lake.s3.put_object().bucket("lake").key(key).body(body.to_vec().into()).send()
    };
    make("main/", b"").await.unwrap();
    make("main/dir/", b"").await.unwrap();
    assert_eq!(refusal(make("none/", b"").await), refused(404, "NoSuchBucket"));
    assert_eq!(refusal(make("main/", b"x").await), refused(404, "NoSuchKey"));
    let found = lake.s3.list_objects_v2().bucket("lake").prefix("main/").send().await.unwrap();
    assert_eq!(
        found.contents().iter().map(|object| object.key().unwrap()).collect::<Vec<_>>(),
        ["main/dir/"]
    );
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn conditional_writes_leave_what_is_there() {
    let lake = Lake::start().await;
    let stored = lake.stored();
    // In files of their own: small ones are in the store's index.
    let put = |key: &str| lake.s3.put_object().bucket("lake").key(key).body(vec![b'n'; 8 << 10].into());
    put("main/a").if_none_match("*").send().await.unwrap();
    let taken = put("main/a").if_none_match("*").send().await;
    assert_eq!(refusal(taken), refused(412, "PreconditionFailed"));
    let other = put("main/a").if_match("\"other\"").send().await;
    assert_eq!(refusal(other), refused(412, "PreconditionFailed"));
    assert_eq!(refusal(put("main/b").if_match("\"other\"").send().await), refused(404, "NoSuchKey"));
    let odd = put("main/a").if_none_match("\"tag\"").send().await;
    assert_eq!(refusal(odd), refused(501, "NotImplemented"));
    let etag = lake.s3.head_object().bucket("lake").key("main/a").send().await.unwrap();
    put("main/a").if_match(etag.e_tag().unwrap()).send().await.unwrap();
    put("main/a").if_match("*").send().await.unwrap();
    assert_eq!(lake.stored(), stored + 3, "what was refused left no data");
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn of_many_creators_one_wins() {
    let lake = Lake::start().await;
    let create = |i: usize| {
        let put = lake.s3.put_object().bucket("lake").key("main/contended").if_none_match("*");
        put.body(format!("creator {i}").into_bytes().into()).send()
    };
    let outcomes = futures::future::join_all((0..16).map(create)).await;
    let winners: Vec<usize> = (0..16).filter(|i| outcomes[*i].is_ok()).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(lake.get("main/contended").await, format!("creator {}", winners[0]));
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn checksums_of_every_kind_are_checked_in_front_and_behind() {
    let lake = Lake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, vec![7; 3_000_000]).unwrap();
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        // A file is streamed in signed chunks, with its checksum in a trailer; bytes have it in a header.
        for body in [ByteStream::from_path(&file).await.unwrap(), vec![7; 3_000_000].into()] {
            let put = lake.s3.put_object().bucket("lake").key("main/a").body(body);
            put.checksum_algorithm(algorithm.clone()).send().await.unwrap();
            let head = lake.s3.head_object().bucket("lake").key("main/a").send().await.unwrap();
            assert_eq!(head.content_length(), Some(3_000_000), "{algorithm:?}");
        }
    }
    let wrong = lake.s3.put_object().bucket("lake").key("main/b").body(b"hello".to_vec().into());
    let wrong = wrong.checksum_crc32("NhCmhQ==").send().await;
    assert_eq!(refusal(wrong), refused(400, "BadDigest"));
    let wrong = lake.s3.put_object().bucket("lake").key("main/b").body(b"hello".to_vec().into());
    let wrong = wrong.content_md5("XUFAKrxLKna5cZ2REBfFkQ==").send().await;
    assert_eq!(refusal(wrong), refused(400, "BadDigest"));
    let b = lake.s3.head_object().bucket("lake").key("main/b").send().await;
    assert_eq!(refusal(b).0, 404);
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_vanishes_leaves_nothing() {
    let lake = Lake::start().await;
    let stored = lake.stored();
    let unsigned = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), ("content-length", "3000000")];
    let (sender, body) = futures::channel::mpsc::unbounded::<std::io::Result<bytes::Bytes>>();
    let request = Signed::new(&lake.server, "PUT", "/lake/main/a").headers(&unsigned).request();
    let sending =
        tokio::spawn(http().execute(request.body(reqwest::Body::wrap_stream(body)).build().unwrap()));
    sender.unbounded_send(Ok(vec![0; 2_000_000].into())).unwrap();
    while lake.temporary() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    sending.abort();
    drop(sender);
    while lake.temporary() > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(lake.stored(), stored);
    let head = lake.s3.head_object().bucket("lake").key("main/a").send().await;
    assert_eq!(refusal(head).0, 404);
    lake.server.stop().await.unwrap();
}

impl Lake {
    /// How many objects are being written.
    fn temporary(&self) -> usize {
        super::files(&self._folder.path().join("objects/tmp"))
    }
}

#[tokio::test]
async fn removing_is_staged_too() {
    let lake = Lake::start().await;
    let create =
        CreateBranch { repository: name(), name: branch("dev"), source: reference("main"), hidden: false };
    lake.grpc.create_branch(create).await.unwrap();
    for key in ["main/a", "main/b", "main/c", "dev/a"] {
        lake.put(key, "x").await;
    }
    let delete = |key: &str| lake.s3.delete_object().bucket("lake").key(key);
    delete("main/a").send().await.unwrap();
    delete("main/a").send().await.unwrap();
    assert_eq!(refusal(delete("none/a").send().await), refused(404, "NoSuchBucket"));
    assert_eq!(
        refusal(delete("main/b").if_match("\"other\"").send().await),
        refused(412, "PreconditionFailed")
    );
    let object = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let keys = ["main/b", "main/missing", "dev/a", "none/a", "main"];
    let many = Delete::builder().set_objects(Some(keys.map(object).to_vec())).build().unwrap();
    let done = lake.s3.delete_objects().bucket("lake").delete(many).send().await.unwrap();
    let mut deleted: Vec<&str> = done.deleted().iter().map(|deleted| deleted.key().unwrap()).collect();
    deleted.sort_unstable();
    assert_eq!(deleted, ["dev/a", "main/b", "main/missing"]);
    let mut errors: Vec<_> =
        done.errors().iter().map(|error| (error.key().unwrap(), error.code().unwrap())).collect();
    errors.sort_unstable();
    assert_eq!(errors, [("main", "NoSuchKey"), ("none/a", "NoSuchBucket")]);
    let left = lake.s3.list_objects_v2().bucket("lake").prefix("main/").send().await.unwrap();
    assert_eq!(left.contents().iter().map(|object| object.key().unwrap()).collect::<Vec<_>>(), ["main/c"]);
    lake.server.stop().await.unwrap();
}
