use std::time::Duration;

use braid_client::{Client, Link};
use braid_types::{BranchName, Code};
use braid_wire::proto;

use super::support::*;

async fn refusal(client: &Client, on: &BranchName, link: Link) -> (Code, String) {
    let error = client.link_upload(&lake(), on, link).await.unwrap_err();
    assert!(!error.may_have_happened());
    (error.code(), error.message().to_owned())
}

#[tokio::test]
async fn intents_are_good_for_one_place_and_one_day() {
    let (node, client) = Node::with_lake().await;
    let dev = branch_from(&client, "dev", "main").await;
    let link = node.uploaded(&client, &main_branch(), "a", "x").await;
    let forged = Link { intent: "AAAA".to_owned(), ..link.clone() };
    let elsewhere = Link { path: path("b"), ..link.clone() };
    for (on, link, reason) in [
        (&main_branch(), forged, "was not given out"),
        (&main_branch(), elsewhere, "belongs to path 'a'"),
        (&dev, link.clone(), "belongs to branch 'main'"),
    ] {
        let (code, message) = refusal(&client, on, link).await;
        assert_eq!(code, Code::InvalidIntent);
        assert!(message.contains(reason), "{message}");
    }
    node.installation.clock.advance(Duration::from_secs(24 * 3600 - 1));
    client.link_upload(&lake(), &main_branch(), link.clone()).await.unwrap();
    node.installation.clock.advance(Duration::from_secs(1));
    let (code, message) = refusal(&client, &main_branch(), link).await;
    assert_eq!(code, Code::InvalidIntent);
    assert!(message.contains("expired"), "{message}");
}

#[tokio::test]
async fn an_intent_of_another_repository_is_refused() {
    let (node, client) = Node::with_lake().await;
    let link = node.uploaded(&client, &main_branch(), "a", "x").await;
    client.delete_repository(&lake()).await.unwrap();
    create_lake(&client).await;
    let (code, message) = refusal(&client, &main_branch(), link).await;
    assert_eq!(code, Code::InvalidIntent);
    assert!(message.contains("another repository"), "{message}");
}

#[tokio::test]
async fn a_link_must_be_true() {
    let (node, client) = Node::with_lake().await;
    let upload = client.create_upload(&lake(), &main_branch(), target("a")).await.unwrap();
    let nothing_there = link(upload, "e", "x");
    let good = node.uploaded(&client, &main_branch(), "a", "x").await;
    for (wrong, reason) in [
        (nothing_there, "nothing was uploaded"),
        (Link { size: 2, ..good.clone() }, "holds 1 bytes, the link says 2"),
        (Link { checksum: "e".to_owned(), ..good.clone() }, "entity tag"),
        (Link { content_type: "text/html".to_owned(), ..good.clone() }, "content type"),
    ] {
        let (code, message) = refusal(&client, &main_branch(), wrong).await;
        assert_eq!(code, Code::UploadMismatch, "{message}");
        assert!(message.contains(reason), "{message}");
    }
    assert_eq!(paths(&client, "main").await.len(), 0);
    client.link_upload(&lake(), &main_branch(), good).await.unwrap();
}

#[tokio::test]
async fn a_conditional_link_leaves_what_is_there() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "old").await;
    let link = Link { if_absent: true, ..node.uploaded(&client, &main_branch(), "a", "newer").await };
    assert_eq!(refusal(&client, &main_branch(), link).await.0, Code::PreconditionFailed);
    assert_eq!(entry(&client, "main", "a").await.size, 3);
    let link = Link { if_absent: true, ..node.uploaded(&client, &main_branch(), "b", "newer").await };
    client.link_upload(&lake(), &main_branch(), link).await.unwrap();
}

#[tokio::test]
async fn a_batch_is_linked_whole_or_not_at_all() {
    let (node, client) = Node::with_lake().await;
    let good = node.uploaded(&client, &main_branch(), "a", "x").await;
    let other = node.uploaded(&client, &main_branch(), "b", "x").await;
    let untrue = Link { size: 7, ..other.clone() };
    let foreign = Link { path: path("c"), ..other.clone() };
    let heavy = Link { metadata: [("k".to_owned(), "v".repeat(65_536))].into(), ..other.clone() };
    for (last, expected) in
        [(untrue, Code::UploadMismatch), (foreign, Code::InvalidIntent), (heavy, Code::LimitExceeded)]
    {
        let refused = client.link_uploads(&lake(), &main_branch(), vec![good.clone(), last]).await;
        assert_eq!(code(refused), expected);
        assert_eq!(paths(&client, "main").await.len(), 0);
    }
    let linked = client.link_uploads(&lake(), &main_branch(), vec![other, good]).await.unwrap();
    assert_eq!(linked.iter().map(|object| object.path.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(paths(&client, "main").await, ["a", "b"]);
}

#[tokio::test]
async fn limits_are_named_before_anything_is_written() {
    let (node, client) = Node::with_lake().await;
    let good = node.uploaded(&client, &main_branch(), "a", "x").await;
    let many = client.link_uploads(&lake(), &main_branch(), vec![good.clone(); 10_001]).await.unwrap_err();
    assert_eq!(many.code(), Code::LimitExceeded);
    assert!(many.message().contains("1 to 10000 links, not 10001"), "{many}");
    assert_eq!(code(client.link_uploads(&lake(), &main_branch(), vec![]).await), Code::LimitExceeded);
    let metadata = [("k".to_owned(), "v".repeat(65_536))].into();
    let (refused, message) = refusal(&client, &main_branch(), Link { metadata, ..good }).await;
    assert_eq!(refused, Code::LimitExceeded);
    assert!(message.contains("65537 bytes; the limit is 65536"), "{message}");
    let targets = vec![target("a"); 1_001];
    assert_eq!(code(client.create_uploads(&lake(), &main_branch(), targets).await), Code::LimitExceeded);
    let mut huge = target("a");
    huge.size = Some((5 << 30) + 1);
    assert_eq!(code(client.create_upload(&lake(), &main_branch(), huge).await), Code::LimitExceeded);
    let paths_to_delete = (0..10_001).map(|index| path(&index.to_string())).collect();
    let deletes = client.delete_objects(&lake(), &main_branch(), paths_to_delete).await;
    assert_eq!(code(deletes.map(|_| ())), Code::LimitExceeded);
    assert_eq!(paths(&client, "main").await.len(), 0);
}

#[tokio::test]
async fn long_paths_are_refused_at_the_door() {
    let (node, _client) = Node::with_lake().await;
    let path = "é".repeat(513);
    let target = Some(proto::UploadTarget { path, content_type: String::new(), size: None });
    let request = proto::CreateUploadRequest {
        repository: "lake".to_owned(),
        branch: "main".to_owned(),
        target,
        without_headers: false,
    };
    let refused = told(&node.object_service().create_upload(node.request(request)).await.unwrap_err());
    assert_eq!(refused.code(), Code::InvalidPath);
    assert!(refused.message().contains("1026 bytes; the limit is 1024"), "{refused}");
}

#[tokio::test]
async fn a_full_batch_of_links_is_one_transaction() {
    let (node, client) = Node::with_lake().await;
    let mut links = Vec::new();
    for page in 0..10 {
        let targets = (0..1_000).map(|index| target(&format!("{page}/{index:04}"))).collect();
        for upload in client.create_uploads(&lake(), &main_branch(), targets).await.unwrap() {
            let checksum = node.put(&upload, "x").await;
            links.push(link(upload, &checksum, "x"));
        }
    }
    assert_eq!(client.link_uploads(&lake(), &main_branch(), links).await.unwrap().len(), 10_000);
    assert_eq!(paths(&client, "main").await.len(), 10_000);
    commit(&client, &main_branch(), "all").await.unwrap();
    assert_eq!(paths(&client, "main@").await.len(), 10_000);
}

#[tokio::test]
async fn no_upload_is_given_out_for_a_place_that_is_not_there() {
    let (_node, client) = Node::with_lake().await;
    let no_branch = client.create_upload(&lake(), &branch("dev"), target("a")).await;
    assert_eq!(code(no_branch), Code::BranchNotFound);
    let no_repository = client.create_upload(&repository("pond"), &main_branch(), target("a")).await;
    assert_eq!(code(no_repository), Code::RepositoryNotFound);
}
