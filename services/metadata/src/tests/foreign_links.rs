//! Links to objects that are in a bucket already.

use std::collections::BTreeMap;

use braid_client::LinkObject;
use braid_objects::{PutOptions, StorageUri};
use braid_types::{Code, Time};

use super::support::*;

/// A link to an object of another bucket, `s3://theirs/raw/a,b`, which is there.
async fn foreign(node: &Node) -> LinkObject {
    let bucket: StorageUri = "s3://theirs".parse().unwrap();
    let store = node.installation.stores.open(&bucket).unwrap();
    store.put("raw/a,b", "data".into(), PutOptions::default()).await.unwrap();
    LinkObject {
        repository: lake(),
        branch: main_branch(),
        path: path("linked"),
        physical_address: "s3://theirs/raw/a,b".into(),
        checksum: "what they say".into(),
        size: 4,
        content_type: "text/plain".into(),
        metadata: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        mtime: None,
        if_absent: false,
        if_etag: None,
    }
}

#[tokio::test]
async fn an_object_of_another_bucket_is_linked_where_it_is() {
    let (node, client) = Node::with_lake().await;
    let link = foreign(&node).await;
    let linked = client.link_object(link.clone()).await.unwrap();
    let found = client.stat_object(&lake(), &reference("main"), &path("linked")).await.unwrap();
    assert_eq!(linked, found);
    let entry = &found.entry;
    assert_eq!((entry.address.as_str(), entry.checksum.as_str()), ("s3://theirs/raw/a,b", "what they say"));
    assert_eq!((entry.size, entry.content_type.as_str(), entry.mtime), (4, "text/plain", START));
    assert_eq!(entry.metadata["k"], "v");

    let absent = LinkObject { if_absent: true, ..link.clone() };
    assert_eq!(code(client.link_object(absent).await), Code::PreconditionFailed);
    let replaced = LinkObject {
        if_etag: Some("what they say".into()),
        mtime: Some(Time::from_seconds(7)),
        ..link.clone()
    };
    assert_eq!(client.link_object(replaced.clone()).await.unwrap().entry.mtime.seconds, 7);
    let other = LinkObject { if_etag: Some("x".into()), ..replaced };
    assert_eq!(code(client.link_object(other).await), Code::PreconditionFailed);
    commit(&client, &main_branch(), "linked").await.unwrap();
    assert_eq!(paths(&client, "main@").await, ["linked"]);
}

#[tokio::test]
async fn what_is_not_there_or_not_to_be_linked_is_refused() {
    let (node, client) = Node::with_lake().await;
    let link = foreign(&node).await;
    let namespace = client.get_repository(&lake()).await.unwrap().storage_namespace;
    for (address, size, refused) in [
        ("s3://theirs/raw/absent".to_owned(), 4, Code::UploadMismatch),
        ("s3://theirs/raw/a,b".to_owned(), 5, Code::UploadMismatch),
        ("s3://theirs/".to_owned(), 4, Code::InvalidArgument),
        ("raw/a".to_owned(), 4, Code::InvalidArgument),
        (format!("{namespace}/data/a"), 4, Code::InvalidArgument),
        (format!("{namespace}/_lakefs/dummy"), 4, Code::InvalidArgument),
    ] {
        let wrong = LinkObject { physical_address: address.clone(), size, ..link.clone() };
        assert_eq!(code(client.link_object(wrong).await), refused, "{address}");
    }
    let unsaid = LinkObject { checksum: String::new(), ..link.clone() };
    assert_eq!(code(client.link_object(unsaid).await), Code::InvalidArgument);
    let both = LinkObject { if_absent: true, if_etag: Some("x".into()), ..link.clone() };
    assert_eq!(code(client.link_object(both).await), Code::InvalidArgument);
    let nowhere = LinkObject { branch: branch("nowhere"), ..link.clone() };
    assert_eq!(code(client.link_object(nowhere).await), Code::BranchNotFound);
    client.set_read_only(&lake(), true).await.unwrap();
    assert_eq!(code(client.link_object(link).await), Code::ReadOnly);
}
