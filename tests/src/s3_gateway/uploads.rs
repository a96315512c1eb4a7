use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use braid_client::CreateRepository;
use braid_types::RepositoryName;

use super::{Lake, refusal, refused};
use crate::lake::{commit, path, reference, write};

async fn start(lake: &Lake, key: &str) -> String {
    let create = lake.s3.create_multipart_upload().bucket("lake").key(key);
    let created = create.content_type("text/plain").metadata("color", "red").send().await.unwrap();
    created.upload_id().unwrap().to_owned()
}

async fn part(lake: &Lake, key: &str, upload: &str, number: i32, body: Vec<u8>) -> CompletedPart {
    let put = lake.s3.upload_part().bucket("lake").key(key).upload_id(upload).part_number(number);
    let put = put.body(body.into()).send().await.unwrap();
    CompletedPart::builder().part_number(number).e_tag(put.e_tag().unwrap()).build()
}

fn of(parts: &[CompletedPart]) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build()
}

#[tokio::test]
async fn parts_become_an_object() {
    let lake = Lake::start().await;
    let upload = start(&lake, "main/dir/large").await;
    let (one, two) = (vec![1_u8; 5 << 20], vec![2_u8; 1000]);
    let last = part(&lake, "main/dir/large", &upload, 7, two.clone()).await;
    let first = part(&lake, "main/dir/large", &upload, 2, one.clone()).await;
    let parts = lake.s3.list_parts().bucket("lake").key("main/dir/large").upload_id(&upload);
    let listed = parts.send().await.unwrap();
    let listed: Vec<_> = listed.parts().iter().map(|part| (part.part_number(), part.size())).collect();
    assert_eq!(listed, [(Some(2), Some(5 << 20)), (Some(7), Some(1000))]);
    let complete = || {
        let complete = lake.s3.complete_multipart_upload().bucket("lake").key("main/dir/large");
        complete.upload_id(&upload).multipart_upload(of(&[first.clone(), last.clone()])).send()
    };
    let done = complete().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""), "{done:?}");
    let again = complete().await.unwrap();
    assert_eq!(again.e_tag(), done.e_tag(), "whoever did not hear the answer asks again");
    let got = lake.s3.get_object().bucket("lake").key("main/dir/large").send().await.unwrap();
    assert_eq!((got.content_type(), got.metadata().unwrap()["color"].as_str()), (Some("text/plain"), "red"));
    assert!(got.body.collect().await.unwrap().to_vec() == [one, two].concat());
    let object = lake.grpc.stat_object(&crate::lake::lake(), &reference("main"), &path("dir/large")).await;
    assert_eq!(format!("\"{}\"", object.unwrap().entry.checksum), done.e_tag().unwrap());
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_an_upload_is_said() {
    let lake = Lake::start().await;
    lake.put("main/a", "old").await;
    let upload = start(&lake, "main/a").await;
    let good = part(&lake, "main/a", &upload, 1, vec![1]).await;
    let complete = |upload: &str, parts: &[CompletedPart]| {
        let complete = lake.s3.complete_multipart_upload().bucket("lake").key("main/a");
        complete.upload_id(upload).multipart_upload(of(parts))
    };
    let untrue = CompletedPart::builder().part_number(1).e_tag("\"0\"").build();
    assert_eq!(refusal(complete(&upload, &[untrue]).send().await), refused(400, "InvalidPart"));
    assert_eq!(refusal(complete(&upload, &[]).send().await), refused(400, "MalformedXML"));
    assert_eq!(
        refusal(complete("none", std::slice::from_ref(&good)).send().await),
        refused(404, "NoSuchUpload")
    );
    let absent = complete(&upload, std::slice::from_ref(&good)).if_none_match("*").send().await;
    assert_eq!(refusal(absent), refused(412, "PreconditionFailed"));
    let put = lake.s3.upload_part().bucket("lake").key("main/a").upload_id("none").part_number(1);
    assert_eq!(refusal(put.body(vec![1].into()).send().await), refused(404, "NoSuchUpload"));
    let put = lake.s3.upload_part().bucket("lake").key("main/a").upload_id(&upload).part_number(10_001);
    assert_eq!(refusal(put.body(vec![1].into()).send().await), refused(400, "InvalidArgument"));
    let nowhere = lake.s3.create_multipart_upload().bucket("lake").key("none/a").send().await;
    assert_eq!(refusal(nowhere), refused(404, "NoSuchBucket"));
    let abort = || lake.s3.abort_multipart_upload().bucket("lake").key("main/a").upload_id(&upload).send();
    abort().await.unwrap();
    assert_eq!(refusal(abort().await), refused(404, "NoSuchUpload"));
    assert_eq!(lake.get("main/a").await, "old");
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn parts_are_copied_from_other_objects() {
    let lake = Lake::start().await;
    lake.put("main/from", "0123456789").await;
    let upload = start(&lake, "main/to").await;
    let copy = |number: i32, source: &str, range: Option<&str>| {
        let copy = lake.s3.upload_part_copy().bucket("lake").key("main/to").upload_id(&upload);
        copy.part_number(number).copy_source(source).set_copy_source_range(range.map(str::to_owned)).send()
    };
    let mut parts = Vec::new();
    for (number, range) in [(1, None), (2, Some("bytes=3-4"))] {
        let copied = copy(number, "lake/main/from", range).await.unwrap();
        let tag = copied.copy_part_result().unwrap().e_tag().unwrap().to_owned();
        parts.push(CompletedPart::builder().part_number(number).e_tag(tag).build());
    }
    assert_eq!(refusal(copy(3, "lake/main/none", None).await), refused(404, "NoSuchKey"));
    assert_eq!(refusal(copy(10_001, "lake/main/from", None).await), refused(400, "InvalidArgument"));
    for (range, status, code) in [
        ("bytes=5-10", 416, "InvalidRange"),
        ("bytes=10-", 400, "InvalidArgument"),
        ("bytes=-3", 400, "InvalidArgument"),
        ("0-3", 400, "InvalidArgument"),
    ] {
        assert_eq!(refusal(copy(3, "lake/main/from", Some(range)).await), refused(status, code), "{range}");
    }
    let complete = lake.s3.complete_multipart_upload().bucket("lake").key("main/to").upload_id(&upload);
    complete.multipart_upload(of(&parts)).send().await.unwrap();
    assert_eq!(lake.get("main/to").await, "012345678934");
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_part_is_copied_from_any_ref_and_repository_if_the_source_is_the_one_asked_for() {
    let lake = Lake::start().await;
    let pond = RepositoryName::new("pond").unwrap();
    let create = CreateRepository { name: pond, storage_namespace: None, default_branch: None };
    lake.grpc.create_repository(create).await.unwrap();
    write(&lake.grpc, "main", "from", "committed").await;
    commit(&lake.grpc, "main").await.unwrap();
    lake.put("main/from", "staged").await;
    let created = lake.s3.create_multipart_upload().bucket("pond").key("main/to").send().await.unwrap();
    let upload = created.upload_id().unwrap();
    let copy = |number: i32, source: &str| {
        let copy = lake.s3.upload_part_copy().bucket("pond").key("main/to").upload_id(upload);
        copy.part_number(number).copy_source(source)
    };
    let tag = "\"1a80a7c17b3a92b5dcc3b0d0a2ebc9a9\"";
    let other = copy(1, "lake/main@/from").copy_source_if_match(tag).send().await;
    assert_eq!(refusal(other), refused(412, "PreconditionFailed"));
    let found = lake.s3.head_object().bucket("lake").key("main@/from").send().await.unwrap();
    let known = copy(1, "lake/main@/from").copy_source_if_none_match(found.e_tag().unwrap()).send().await;
    assert_eq!(refusal(known), refused(412, "PreconditionFailed"));
    let nowhere = copy(1, "none/main/from").send().await;
    assert_eq!(refusal(nowhere), refused(404, "NoSuchBucket"));
    let mut parts = Vec::new();
    for (number, source) in [(1, "lake/main@/from"), (2, "/lake/main/from")] {
        let copy = copy(number, source).copy_source_if_none_match(tag);
        let copied = copy.send().await.unwrap().copy_part_result.unwrap();
        parts.push(CompletedPart::builder().part_number(number).e_tag(copied.e_tag().unwrap()).build());
    }
    let complete = lake.s3.complete_multipart_upload().bucket("pond").key("main/to").upload_id(upload);
    complete.multipart_upload(of(&parts)).send().await.unwrap();
    let got = lake.s3.get_object().bucket("pond").key("main/to").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"committedstaged");
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn uploads_are_listed_over_all_branches() {
    let lake = Lake::start().await;
    crate::lake::create_branch(&lake.grpc, "dev", "main").await;
    let mut begun = Vec::new();
    for key in ["main/b ü", "dev/z", "main/a", "main/a"] {
        begun.push((key.to_owned(), start(&lake, key).await));
    }
    begun.sort();
    let mut found = Vec::new();
    let (mut key, mut upload) = (None, None);
    loop {
        let list = lake.s3.list_multipart_uploads().bucket("lake").max_uploads(1);
        let page = list.set_key_marker(key).set_upload_id_marker(upload).send().await.unwrap();
        let named = page.uploads().iter();
        found.extend(
            named.map(|upload| (upload.key().unwrap().to_owned(), upload.upload_id().unwrap().to_owned())),
        );
        if page.is_truncated() != Some(true) {
            break;
        }
        (key, upload) =
            (page.next_key_marker().map(str::to_owned), page.next_upload_id_marker().map(str::to_owned));
    }
    assert_eq!(found, begun);
    let some = lake.s3.list_multipart_uploads().bucket("lake").prefix("main/a").send().await.unwrap();
    assert_eq!(some.uploads().len(), 2);
    let none = lake.s3.list_multipart_uploads().bucket("lake").prefix("none/").send().await.unwrap();
    assert!(none.uploads().is_empty());
    lake.server.stop().await.unwrap();
}
