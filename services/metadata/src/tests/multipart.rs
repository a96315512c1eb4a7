use std::collections::BTreeMap;
use std::time::Duration;

use braid_client::{
    Client, CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, ListMultipartUploads, ListParts,
    MultipartUpload, PartTarget, UploadAddress,
};
use braid_objects::{ObjectStore, PartPlace, Transfers};
use braid_types::{Code, RequestId};
use bytes::Bytes;

use super::support::*;
use crate::Settings;

/// Begins an upload to a path of `main`.
async fn begin(client: &Client, at: &str) -> (MultipartUpload, UploadAddress) {
    let create = CreateMultipartUpload {
        repository: lake(),
        branch: main_branch(),
        path: path(at),
        content_type: "text/plain".to_owned(),
        metadata: [("color".to_owned(), "red".to_owned())].into(),
    };
    let upload = client.create_multipart_upload(create).await.unwrap();
    let address = UploadAddress {
        repository: lake(),
        branch: main_branch(),
        path: path(at),
        upload_id: upload.upload_id.clone(),
    };
    (upload, address)
}

/// Puts a part as its presigned URL would.
async fn put_part(node: &Node, upload: &MultipartUpload, number: u16, body: &'static str) -> CompletedPart {
    let key = upload.physical_address.strip_prefix("s3://").unwrap();
    let place = PartPlace { key, upload: &upload.upload_id, number };
    let put = node.installation.objects.put_part(place, Bytes::from_static(body.as_bytes()).into());
    CompletedPart { number: number.into(), etag: put.await.unwrap().etag }
}

fn complete(upload: UploadAddress, parts: Vec<CompletedPart>) -> CompleteMultipartUpload {
    let metadata = BTreeMap::new();
    CompleteMultipartUpload {
        upload,
        parts,
        content_type: None,
        metadata,
        if_absent: false,
        if_etag: None,
        if_generation: None,
    }
}

async fn uploads(client: &Client) -> Vec<String> {
    let list = ListMultipartUploads {
        repository: lake(),
        branch: main_branch(),
        prefix: prefix(""),
        after: None,
        after_upload_id: None,
        page_size: None,
    };
    let found = client.list_multipart_uploads(list).await.unwrap();
    found.uploads.into_iter().map(|upload| upload.path.to_string()).collect()
}

/// How many uploads the object store knows, and how many objects it has for users.
async fn kept(node: &Node) -> (usize, usize) {
    let objects = &node.installation.objects;
    let found = objects.list("", None, 1000).await.unwrap().items;
    let data = found.iter().filter(|object| object.key.contains("/data/")).count();
    (objects.list_uploads("", None).await.unwrap().items.len(), data)
}

#[tokio::test]
async fn parts_become_an_object_that_is_staged() {
    let (node, client) = Node::with_lake().await;
    let (upload, address) = begin(&client, "dir/large").await;
    assert_eq!(client.get_multipart_upload(address.clone()).await.unwrap(), upload);
    assert_eq!(uploads(&client).await, ["dir/large"]);
    let targets = vec![PartTarget { number: 2, size: Some(3) }, PartTarget { number: 1, size: None }];
    let places = client.presign_parts(address.clone(), targets).await.unwrap();
    assert_eq!(places.iter().map(|place| place.number).collect::<Vec<_>>(), [2, 1]);
    assert!(places[0].url.contains("partNumber=2"), "{}", places[0].url);
    let last = put_part(&node, &upload, 2, "def").await;
    let first = put_part(&node, &upload, 1, "abc").await;
    let list = ListParts { upload: address.clone(), after: 1, page_size: None };
    let parts = client.list_parts(list).await.unwrap();
    assert_eq!((parts.parts.len(), parts.more), (1, false));
    assert_eq!((parts.parts[0].number, parts.parts[0].size, &parts.parts[0].etag), (2, 3, &last.etag));
    assert!(paths(&client, "main").await.is_empty());

    let more = [("shape".to_owned(), "round".to_owned())].into();
    let request = CompleteMultipartUpload { metadata: more, ..complete(address, vec![first, last]) };
    let object = client.complete_multipart_upload(request).await.unwrap();
    assert_eq!(entry(&client, "main", "dir/large").await, object.entry);
    assert_eq!((object.entry.size, object.entry.content_type.as_str()), (6, "text/plain"));
    assert_eq!(object.entry.address, upload.physical_address);
    assert!(object.entry.checksum.ends_with("-2"), "{}", object.entry.checksum);
    assert_eq!(object.entry.metadata.len(), 2);
    assert!(uploads(&client).await.is_empty());
    let key = upload.physical_address.strip_prefix("s3://").unwrap();
    assert_eq!(node.installation.objects.get(key, None).await.unwrap(), "abcdef");
}

#[tokio::test]
async fn completing_again_under_the_same_id_answers_as_the_first_did() {
    let (node, client) = Node::with_lake().await;
    let (upload, address) = begin(&client, "a").await;
    let parts = vec![put_part(&node, &upload, 1, "abc").await];
    let id = RequestId::new("complete-a").unwrap();
    let request = complete(address, parts);
    let first = client.complete_multipart_upload_as(&id, request.clone()).await.unwrap();
    node.write(&client, &main_branch(), "a", "newer").await;
    assert_eq!(client.complete_multipart_upload_as(&id, request).await.unwrap(), first);
    assert_eq!(entry(&client, "main", "a").await.size, 5, "what came later stays");
}

#[tokio::test]
async fn a_completion_whose_note_was_lost_goes_on_with_the_object() {
    let (node, client) = Node::with_lake().await;
    let (upload, address) = begin(&client, "a").await;
    let part = put_part(&node, &upload, 1, "abc").await;
    let key = upload.physical_address.strip_prefix("s3://").unwrap();
    let parts = [(1, part.etag.clone())];
    node.installation.objects.complete_upload(key, &upload.upload_id, &parts).await.unwrap();
    client.complete_multipart_upload(complete(address, vec![part])).await.unwrap();
    assert_eq!(entry(&client, "main", "a").await.size, 3);
}

#[tokio::test]
async fn an_upload_that_is_over_is_named() {
    let (node, client) = Node::with_lake().await;
    let (given_up, given_up_at) = begin(&client, "a").await;
    let part = put_part(&node, &given_up, 1, "abc").await;
    assert_eq!(kept(&node).await, (1, 0));
    client.abort_multipart_upload(given_up_at.clone()).await.unwrap();
    assert_eq!(kept(&node).await, (0, 0));
    let (done, done_at) = begin(&client, "a").await;
    let parts = vec![put_part(&node, &done, 1, "abc").await];
    client.complete_multipart_upload(complete(done_at.clone(), parts)).await.unwrap();
    let never = UploadAddress { upload_id: "never".to_owned(), ..done_at.clone() };
    let elsewhere = UploadAddress { path: path("b"), ..done_at.clone() };
    for over in [given_up_at.clone(), done_at, never, elsewhere] {
        assert_eq!(code(client.get_multipart_upload(over.clone()).await), Code::UploadNotFound);
        assert_eq!(code(client.abort_multipart_upload(over.clone()).await), Code::UploadNotFound);
        let list = ListParts { upload: over, after: 0, page_size: None };
        assert_eq!(code(client.list_parts(list).await), Code::UploadNotFound);
    }
    let late = client.complete_multipart_upload(complete(given_up_at, vec![part])).await;
    assert_eq!(code(late), Code::UploadNotFound);
}

#[tokio::test]
async fn what_cannot_be_completed_can_still_be() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "old").await;
    let (upload, address) = begin(&client, "a").await;
    let good = put_part(&node, &upload, 1, "abc").await;
    let untrue = CompletedPart { etag: "0".repeat(32), ..good.clone() };
    let refused = complete(address.clone(), vec![untrue]);
    assert_eq!(code(client.complete_multipart_upload(refused).await), Code::InvalidParts);
    let none = complete(address.clone(), vec![]);
    assert_eq!(code(client.complete_multipart_upload(none).await), Code::LimitExceeded);
    let good = complete(address, vec![good]);
    let absent = CompleteMultipartUpload { if_absent: true, ..good.clone() };
    let other = CompleteMultipartUpload { if_etag: Some("e".to_owned()), ..good.clone() };
    let version = CompleteMultipartUpload { if_generation: Some(7), ..good.clone() };
    for conditional in [absent, other, version] {
        let refused = client.complete_multipart_upload(conditional).await.unwrap_err();
        assert_eq!((refused.code(), refused.subject()), (Code::PreconditionFailed, "a"));
    }
    let heavy = [("k".to_owned(), "v".repeat(65_536))].into();
    let heavy = CompleteMultipartUpload { metadata: heavy, ..good.clone() };
    assert_eq!(code(client.complete_multipart_upload(heavy).await), Code::LimitExceeded);
    assert_eq!(kept(&node).await, (1, 1));
    let etag = entry(&client, "main", "a").await.checksum;
    client.complete_multipart_upload(CompleteMultipartUpload { if_etag: Some(etag), ..good }).await.unwrap();
}

#[tokio::test]
async fn nothing_is_begun_where_it_could_not_be_staged() {
    let (node, client) = Node::with_lake().await;
    let create = CreateMultipartUpload {
        repository: lake(),
        branch: branch("dev"),
        path: path("a"),
        content_type: String::new(),
        metadata: BTreeMap::new(),
    };
    let nowhere = CreateMultipartUpload { repository: repository("pond"), ..create.clone() };
    assert_eq!(code(client.create_multipart_upload(nowhere).await), Code::RepositoryNotFound);
    let heavy = CreateMultipartUpload {
        branch: main_branch(),
        metadata: [("k".to_owned(), "v".repeat(65_536))].into(),
        ..create.clone()
    };
    assert_eq!(code(client.create_multipart_upload(heavy).await), Code::LimitExceeded);
    assert_eq!(code(client.create_multipart_upload(create).await), Code::BranchNotFound);
    assert_eq!(kept(&node).await, (0, 0));
}

#[tokio::test]
async fn what_nobody_completes_is_given_up_after_a_week() {
    let (node, client) = Node::with_lake().await;
    let service = metadata(&node.installation, Settings::default()).await;
    let (upload, _) = begin(&client, "a").await;
    put_part(&node, &upload, 1, "abc").await;
    node.installation.clock.advance(Duration::from_secs(7 * 24 * 3600));
    assert_eq!(service.core.end_old_multiparts().await.unwrap(), 0);
    let (done, address) = begin(&client, "b").await;
    let parts = vec![put_part(&node, &done, 1, "abc").await];
    client.complete_multipart_upload(complete(address, parts)).await.unwrap();
    node.installation.clock.advance(Duration::from_secs(1));
    assert_eq!(service.core.end_old_multiparts().await.unwrap(), 1);
    assert_eq!((uploads(&client).await, kept(&node).await), (vec![], (0, 1)));
    node.installation.clock.advance(Duration::from_secs(7 * 24 * 3600));
    assert_eq!(service.core.end_old_multiparts().await.unwrap(), 1);
    assert_eq!(kept(&node).await, (0, 1), "the object stays");
}
