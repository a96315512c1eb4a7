use braid_types::Code;
use braid_wire::proto;
use futures::TryStreamExt;

use super::support::*;

fn create(name: &str, request_id: &str) -> proto::CreateRepositoryRequest {
    proto::CreateRepositoryRequest {
        name: name.to_owned(),
        storage_namespace: String::new(),
        default_branch: String::new(),
        request_id: request_id.to_owned(),
    }
}

fn commit_request(message: &str, request_id: &str) -> proto::CommitRequest {
    proto::CommitRequest {
        repository: "lake".to_owned(),
        branch: "main".to_owned(),
        message: message.to_owned(),
        metadata: Default::default(),
        allow_empty: true,
        date: None,
        request_id: request_id.to_owned(),
    }
}

#[tokio::test]
async fn a_retried_creation_makes_one_repository_in_one_place() {
    let node = Node::start().await;
    let mut service = node.repository_service();
    let first = service.create_repository(node.request(create("lake", "r1"))).await.unwrap().into_inner();
    let again = service.create_repository(node.request(create("lake", "r1"))).await.unwrap().into_inner();
    assert_eq!(first, again);
    let other = service.create_repository(node.request(create("lake", "r2"))).await.unwrap_err();
    assert_eq!(told(&other).code(), Code::RepositoryExists);
    let reused = service.create_repository(node.request(create("pond", "r1"))).await.unwrap_err();
    assert_eq!(told(&reused).code(), Code::RequestIdReused);
}

#[tokio::test]
async fn a_retried_commit_is_made_once() {
    let (node, client) = Node::with_lake().await;
    let mut service = node.commit_service();
    let first = service.commit(node.request(commit_request("m", "r1"))).await.unwrap().into_inner();
    let again = service.commit(node.request(commit_request("m", "r1"))).await.unwrap().into_inner();
    assert_eq!(first, again);
    let unnamed = service.commit(node.request(commit_request("m", ""))).await.unwrap().into_inner();
    assert_ne!(first.id, unnamed.id, "without an id every call is a new request");
    let log = braid_client::Log {
        repository: lake(),
        reference: reference("main"),
        limit: None,
        first_parent: false,
        since: None,
        stop_at: None,
        after: None,
        paths: vec![],
        prefixes: vec![],
    };
    assert_eq!(client.log(log).try_collect::<Vec<_>>().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_retried_conditional_link_finds_itself_done() {
    let (node, client) = Node::with_lake().await;
    let link = node.uploaded(&client, &main_branch(), "a", "x").await;
    let request = proto::LinkUploadRequest {
        repository: "lake".to_owned(),
        branch: "main".to_owned(),
        link: Some(braid_client::Link { if_absent: true, ..link }.into()),
        request_id: "r1".to_owned(),
    };
    let mut service = node.object_service();
    let first = service.link_upload(node.request(request.clone())).await.unwrap().into_inner();
    let again = service.link_upload(node.request(request.clone())).await.unwrap().into_inner();
    assert_eq!(first, again);
    let new = proto::LinkUploadRequest { request_id: "r2".to_owned(), ..request };
    let refused = service.link_upload(node.request(new)).await.unwrap_err();
    assert_eq!(told(&refused).code(), Code::PreconditionFailed);
}

#[tokio::test]
async fn a_retried_delete_answers_as_the_first_did() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "x").await;
    let request = proto::DeleteObjectRequest {
        repository: "lake".to_owned(),
        branch: "main".to_owned(),
        path: "a".to_owned(),
        request_id: "r1".to_owned(),
        if_etag: String::new(),
        if_generation: None,
    };
    for _ in 0..2 {
        let answer = node.object_service().delete_object(node.request(request.clone())).await.unwrap();
        assert!(answer.into_inner().existed);
    }
}

#[tokio::test]
async fn nodes_of_one_installation_are_interchangeable() {
    let (one, client) = Node::with_lake().await;
    let two = one.installation.start(crate::Settings::default()).await;
    let link = one.uploaded(&client, &main_branch(), "a", "x").await;
    two.client().link_upload(&lake(), &main_branch(), link).await.unwrap();
    let mut service = one.commit_service();
    let first = service.commit(one.request(commit_request("m", "r1"))).await.unwrap().into_inner();
    let again =
        two.commit_service().commit(two.request(commit_request("m", "r1"))).await.unwrap().into_inner();
    assert_eq!(first, again);
    assert_eq!(paths(&two.client(), "main@").await, ["a"]);
}
