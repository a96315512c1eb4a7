//! Multipart uploads through the SDK.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Part};
use md5::{Digest, Md5};

use super::{refusal, refused};
use crate::testing::{BUCKET, Server, clock, serve};

async fn served() -> (Server, Client) {
    let server = serve(clock()).await;
    let sdk = server.sdk();
    (server, sdk)
}

async fn start(sdk: &Client, key: &str) -> String {
    let create = sdk.create_multipart_upload().bucket(BUCKET).key(key).content_type("a/b");
    create.metadata("color", "blue").send().await.unwrap().upload_id().unwrap().to_owned()
}

async fn put_part(sdk: &Client, key: &str, upload: &str, number: i32, body: Vec<u8>) -> CompletedPart {
    let put = sdk.upload_part().bucket(BUCKET).key(key).upload_id(upload).part_number(number);
    let put = put.body(ByteStream::from(body)).send().await.unwrap();
    CompletedPart::builder().part_number(number).set_e_tag(put.e_tag().map(str::to_owned)).build()
}

fn asked(parts: Vec<CompletedPart>) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
}

#[tokio::test]
async fn parts_become_an_object() {
    let (_server, sdk) = served().await;
    let upload = start(&sdk, "key").await;
    let bodies = [vec![1_u8; 1_200_000], vec![2; 1_100_000], vec![3; 5]];
    let mut parts = Vec::new();
    for (number, body) in (1..).zip(&bodies) {
        parts.push(put_part(&sdk, "key", &upload, number, body.clone()).await);
    }
    let complete = sdk.complete_multipart_upload().bucket(BUCKET).key("key").upload_id(&upload);
    let done = complete.multipart_upload(asked(parts)).send().await.unwrap();
    let md5s: Vec<u8> = bodies.iter().flat_map(Md5::digest).collect();
    let etag = format!("\"{}-3\"", hex::encode(Md5::digest(md5s)));
    assert_eq!(done.e_tag(), Some(etag.as_str()));
    let get = sdk.get_object().bucket(BUCKET).key("key").send().await.unwrap();
    assert_eq!((get.content_type(), get.metadata().unwrap()["color"].as_str()), (Some("a/b"), "blue"));
    assert!(get.body.collect().await.unwrap().to_vec() == bodies.concat());
    let seam =
        sdk.get_object().bucket(BUCKET).key("key").range("bytes=1199999-1200000").send().await.unwrap();
    assert_eq!(seam.body.collect().await.unwrap().to_vec(), [1, 2]);
}

#[tokio::test]
async fn parts_and_uploads_are_listed_in_pages() {
    let (_server, sdk) = served().await;
    let upload = start(&sdk, "a b").await;
    let other = start(&sdk, "a b").await;
    start(&sdk, "c").await;
    for number in [7, 2, 10_000] {
        put_part(&sdk, "a b", &upload, number, vec![0; 3]).await;
    }
    let list = || sdk.list_parts().bucket(BUCKET).key("a b").upload_id(&upload).max_parts(2);
    let first = list().send().await.unwrap();
    let numbers: Vec<_> = first.parts().iter().filter_map(Part::part_number).collect();
    assert_eq!((numbers, first.is_truncated()), (vec![2, 7], Some(true)));
    let rest = list().part_number_marker(first.next_part_number_marker().unwrap()).send().await.unwrap();
    assert_eq!((rest.parts()[0].part_number(), rest.is_truncated()), (Some(10_000), Some(false)));
    let uploads = || sdk.list_multipart_uploads().bucket(BUCKET).max_uploads(1);
    let one = uploads().send().await.unwrap();
    assert_eq!(one.uploads()[0].upload_id(), Some(upload.as_str()));
    let two = uploads().key_marker("a b").upload_id_marker(one.next_upload_id_marker().unwrap());
    assert_eq!(two.send().await.unwrap().uploads()[0].upload_id(), Some(other.as_str()));
    let three = uploads().key_marker("a b").send().await.unwrap();
    assert_eq!((three.uploads()[0].key(), three.is_truncated()), (Some("c"), Some(false)));
    let under = sdk.list_multipart_uploads().bucket(BUCKET).prefix("a").send().await.unwrap();
    assert_eq!(under.uploads().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_completed_is_refused() {
    let (_server, sdk) = served().await;
    let upload = start(&sdk, "key").await;
    let one = put_part(&sdk, "key", &upload, 1, vec![1]).await;
    let two = put_part(&sdk, "key", &upload, 2, vec![2]).await;
    let complete = |parts| {
        let complete = sdk.complete_multipart_upload().bucket(BUCKET).key("key").upload_id(&upload);
        complete.multipart_upload(asked(parts))
    };
    let never = CompletedPart::builder().part_number(3).e_tag("\"x\"").build();
    assert_eq!(refusal(complete(vec![never]).send().await), refused(400, "InvalidPart"));
    let turned = complete(vec![two.clone(), one.clone()]).send().await;
    assert_eq!(refusal(turned), refused(400, "InvalidPartOrder"));
    let put = sdk.put_object().bucket(BUCKET).key("key").body(ByteStream::from_static(b"taken"));
    put.send().await.unwrap();
    let taken = complete(vec![one.clone(), two.clone()]).if_none_match("*").send().await;
    assert_eq!(refusal(taken), refused(412, "PreconditionFailed"));
    complete(vec![one, two]).send().await.unwrap();
    let number = sdk.upload_part().bucket(BUCKET).key("key").upload_id(&upload).part_number(10_001);
    assert_eq!(refusal(number.send().await), refused(400, "InvalidArgument"));
}

#[tokio::test]
async fn an_aborted_upload_is_gone() {
    let (_server, sdk) = served().await;
    let upload = start(&sdk, "key").await;
    put_part(&sdk, "key", &upload, 1, vec![1]).await;
    let abort = || sdk.abort_multipart_upload().bucket(BUCKET).key("key").upload_id(&upload);
    abort().send().await.unwrap();
    let gone = refused(404, "NoSuchUpload");
    assert_eq!(refusal(abort().send().await), gone);
    let late = sdk.upload_part().bucket(BUCKET).key("key").upload_id(&upload).part_number(1);
    assert_eq!(refusal(late.send().await), gone);
    let list = sdk.list_parts().bucket(BUCKET).key("key").upload_id(&upload).send().await;
    assert_eq!(refusal(list), gone);
}

#[tokio::test]
async fn a_part_can_be_copied() {
    let (_server, sdk) = served().await;
    let put = sdk.put_object().bucket(BUCKET).key("from").body(ByteStream::from_static(b"0123456789"));
    put.send().await.unwrap();
    let upload = start(&sdk, "to").await;
    let copy = sdk.upload_part_copy().bucket(BUCKET).key("to").upload_id(&upload).part_number(1);
    let copy =
        copy.copy_source(format!("{BUCKET}/from")).copy_source_range("bytes=2-4").send().await.unwrap();
    let etag = copy.copy_part_result().unwrap().e_tag().map(str::to_owned);
    let part = CompletedPart::builder().part_number(1).set_e_tag(etag).build();
    let complete = sdk.complete_multipart_upload().bucket(BUCKET).key("to").upload_id(&upload);
    complete.multipart_upload(asked(vec![part])).send().await.unwrap();
    let get = sdk.get_object().bucket(BUCKET).key("to").send().await.unwrap();
    assert_eq!(get.body.collect().await.unwrap().to_vec(), b"234");
}
