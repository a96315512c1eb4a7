//! Conditions on single operations, and operations on several branches at once.

use braid_client::{
    Apply, ApplyOperation, ApplyResult, Client, Copy, CreateRepository, Link, ObjectMetadata, Operation,
    Precondition, Removal, Rule,
};
use braid_types::{BranchName, Code, RepositoryName};
use braid_wire::proto;

use super::support::*;

fn put(on: &BranchName, link: Link) -> ApplyOperation {
    ApplyOperation { repository: lake(), branch: on.clone(), operation: Operation::Put(link) }
}

fn delete(on: &BranchName, at: &str) -> ApplyOperation {
    let removal = Removal { path: path(at), if_etag: None, if_generation: None };
    ApplyOperation { repository: lake(), branch: on.clone(), operation: Operation::Delete(removal) }
}

fn absent(on: &BranchName, at: &str) -> Precondition {
    Precondition { repository: lake(), branch: on.clone(), path: path(at), rule: Rule::Absent }
}

async fn etag(client: &Client, at: &str) -> String {
    entry(client, "main", at).await.checksum
}

#[tokio::test]
async fn a_link_or_delete_with_an_etag_is_refused_for_another_object() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "old").await;
    let old = etag(&client, "a").await;
    let newer = node.uploaded(&client, &main_branch(), "a", "newer").await;
    let with = |if_etag: &str| Link { if_etag: Some(if_etag.to_owned()), ..newer.clone() };
    let refused = client.link_upload(&lake(), &main_branch(), with("other")).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::PreconditionFailed, "a"));
    assert!(refused.message().contains(&format!("has etag '{old}', not 'other' (if etag)")), "{refused}");
    client.link_upload(&lake(), &main_branch(), with(&old)).await.unwrap();

    let remove =
        async |etag: &str| client.delete_object_if_etag(&lake(), &main_branch(), &path("a"), etag).await;
    assert_eq!(remove(&old).await.unwrap_err().code(), Code::PreconditionFailed);
    let new = etag(&client, "a").await;
    remove(&new).await.unwrap();
    assert_eq!(remove(&new).await.unwrap_err().code(), Code::PreconditionFailed, "there is none any more");

    let both = Link { if_absent: true, ..with("e") };
    assert_eq!(
        client.link_upload(&lake(), &main_branch(), both).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn uploads_and_deletes_on_several_branches_and_repositories_are_done_together() {
    let (node, client) = Node::with_lake().await;
    let dev = branch_from(&client, "dev", "main").await;
    node.write(&client, &dev, "old", "x").await;
    let pond = RepositoryName::new("pond").unwrap();
    let create = CreateRepository { name: pond.clone(), storage_namespace: None, default_branch: None };
    client.create_repository(create).await.unwrap();
    let upload = client.create_upload(&pond, &main_branch(), target("p")).await.unwrap();
    let in_pond = link(upload.clone(), &node.put(&upload, "pond").await, "pond");
    let request = Apply {
        preconditions: vec![absent(&dev, "new")],
        operations: vec![
            put(&main_branch(), node.uploaded(&client, &main_branch(), "a", "main").await),
            put(&dev, node.uploaded(&client, &dev, "a", "dev").await),
            delete(&dev, "old"),
            delete(&main_branch(), "nothing"),
            ApplyOperation { repository: pond.clone(), ..put(&main_branch(), in_pond) },
        ],
    };
    let results = client.apply(request.clone()).await.unwrap();
    let sizes: Vec<_> = results
        .iter()
        .map(|result| match result {
            ApplyResult::Put(object) => Ok(object.entry.size),
            ApplyResult::Deleted(existed) => Err(*existed),
        })
        .collect();
    assert_eq!(sizes, [Ok(4), Ok(3), Err(true), Err(false), Ok(4)]);
    let ApplyResult::Put(object) = &results[4] else { panic!("a put") };
    assert_eq!(object.entry.address, upload.physical_address);
    assert_eq!(
        (paths(&client, "main").await, paths(&client, "dev").await),
        (vec!["a".into()], vec!["a".into()])
    );

    // The second time a precondition fails, and nothing is done.
    let again = Apply { preconditions: vec![absent(&dev, "x"), absent(&main_branch(), "a")], ..request };
    let refused = client.apply(again).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::PreconditionFailed, "a"));
    let expected = "precondition 2 of 2 (if absent): there is an object at 'a' on 'lake/main' already";
    assert_eq!(refused.message(), expected);
}

fn copy(on: &BranchName, from: &str, source: &str, to: &str) -> ApplyOperation {
    let reference = Some(from).filter(|from| !from.is_empty()).map(reference);
    let copy = Copy {
        reference,
        source: path(source),
        path: path(to),
        metadata: None,
        if_absent: true,
        if_etag: None,
        if_generation: None,
    };
    ApplyOperation { repository: lake(), branch: on.clone(), operation: Operation::Copy(copy) }
}

#[tokio::test]
async fn copies_are_done_with_the_rest_and_answered_with_what_they_show() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "committed").await;
    commit(&client, &main_branch(), "m").await.unwrap();
    let dev = branch_from(&client, "dev", "main").await;
    let uploaded = node.uploaded(&client, &dev, "new", "x").await;
    let mut renamed = copy(&main_branch(), "dev", "new", "b");
    let Operation::Copy(with) = &mut renamed.operation else { panic!("a copy") };
    with.metadata = Some(ObjectMetadata { entries: [("k".to_owned(), "v".to_owned())].into() });
    let request = Apply {
        preconditions: vec![absent(&main_branch(), "b")],
        operations: vec![
            put(&dev, uploaded),
            renamed,
            copy(&main_branch(), "", "b", "c"),
            copy(&dev, "main@", "a", "old"),
        ],
    };
    let request = proto::ApplyRequest { request_id: "copies".to_owned(), ..request.into() };
    let mut service = node.object_service();
    let first = service.apply(node.request(request.clone())).await.unwrap().into_inner();
    let shown = Vec::<ApplyResult>::try_from(first.clone()).unwrap();
    for (index, (at, name)) in
        [("dev", "new"), ("main", "b"), ("main", "c"), ("dev", "old")].iter().enumerate()
    {
        let found = client.stat_object(&lake(), &reference(at), &path(name)).await.unwrap();
        assert_eq!(shown[index], ApplyResult::Put(found), "{name}");
    }
    assert_eq!(entry(&client, "main", "c").await.metadata["k"], "v");
    assert_eq!(entry(&client, "main", "c").await.address, entry(&client, "dev", "new").await.address);

    client.delete_object(&lake(), &dev, &path("new")).await.unwrap();
    let again = service.apply(node.request(request)).await.unwrap().into_inner();
    assert_eq!(again, first, "although what was copied is gone");
    let operations = vec![delete(&main_branch(), "a"), copy(&main_branch(), "dev", "new", "d")];
    let refused = client.apply(Apply { preconditions: vec![], operations }).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::ObjectNotFound, "new"));
    assert_eq!(paths(&client, "main").await, ["a", "b", "c"], "nothing was deleted");
}

#[tokio::test]
async fn a_generation_is_shown_everywhere_and_demanded_anywhere() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "x").await;
    let generation =
        async |at: &str| client.stat_object(&lake(), &reference(at), &path("a")).await.unwrap().generation;
    let first = generation("main").await;
    assert_ne!(first, 0);
    commit(&client, &main_branch(), "m").await.unwrap();
    branch_from(&client, "dev", "main").await;
    assert_eq!((generation("main@").await, generation("dev").await), (first, first));

    let newer = node.uploaded(&client, &main_branch(), "a", "x").await;
    let with = |generation| Link { if_generation: Some(generation), ..newer.clone() };
    let refused = client.link_upload(&lake(), &main_branch(), with(0)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PreconditionFailed);
    let linked = client.link_upload(&lake(), &main_branch(), with(first)).await.unwrap();
    assert_eq!(linked.generation, generation("main").await);
    assert_ne!(linked.generation, first, "the same content is another version");
    let refused = client.link_upload(&lake(), &main_branch(), with(first)).await.unwrap_err();
    assert!(refused.message().contains(&format!("has generation {}", linked.generation)), "{refused}");

    let demand =
        |generation| Precondition { rule: Rule::Generation(generation), ..absent(&main_branch(), "a") };
    let remove = |if_generation| {
        let removal = Removal { path: path("a"), if_etag: None, if_generation };
        ApplyOperation { operation: Operation::Delete(removal), ..delete(&main_branch(), "a") }
    };
    for (demanded, removed) in [(first, None), (linked.generation, Some(first)), (0, None)] {
        let request = Apply { preconditions: vec![demand(demanded)], operations: vec![remove(removed)] };
        assert_eq!(client.apply(request).await.unwrap_err().code(), Code::PreconditionFailed);
    }
    let several = Link { if_absent: true, ..with(first) };
    let refused = client.link_upload(&lake(), &main_branch(), several).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let delete_if = async |generation| {
        client.delete_object_if_generation(&lake(), &main_branch(), &path("a"), generation).await
    };
    assert_eq!(delete_if(first).await.unwrap_err().code(), Code::PreconditionFailed);
    delete_if(linked.generation).await.unwrap();
    delete_if(0).await.unwrap();
}

#[tokio::test]
async fn a_retried_apply_answers_as_the_first_did() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "x").await;
    let apply = Apply {
        preconditions: vec![absent(&main_branch(), "b")],
        operations: vec![delete(&main_branch(), "a")],
    };
    let request = proto::ApplyRequest { request_id: "r1".to_owned(), ..apply.into() };
    let mut service = node.object_service();
    let first = service.apply(node.request(request.clone())).await.unwrap().into_inner();
    node.write(&client, &main_branch(), "b", "x").await;
    let again = service.apply(node.request(request)).await.unwrap().into_inner();
    assert_eq!(first, again, "although the precondition does not hold any more");
}

#[tokio::test]
async fn limits_and_links_are_checked_before_anything_is_written() {
    let (node, client) = Node::with_lake().await;
    let apply = async |operations: Vec<ApplyOperation>| {
        client.apply(Apply { preconditions: vec![], operations }).await.unwrap_err()
    };
    let many = apply(vec![delete(&main_branch(), "a"); 10_001]).await;
    assert!(many.message().contains("1 to 10000 operations, not 10001"), "{many}");
    assert_eq!(apply(vec![]).await.code(), Code::LimitExceeded);
    let wide = (0..1_001).map(|number| delete(&branch(&format!("b{number}")), "a")).collect();
    let wide = apply(wide).await;
    assert!(wide.message().contains("at most 1000 branches, not 1001"), "{wide}");
    let good = node.uploaded(&client, &main_branch(), "a", "x").await;
    let untrue = Link { size: 9, ..node.uploaded(&client, &main_branch(), "b", "x").await };
    let refused = apply(vec![put(&main_branch(), good), put(&main_branch(), untrue)]).await;
    assert_eq!(refused.code(), Code::UploadMismatch);
    assert!(paths(&client, "main").await.is_empty());
}
