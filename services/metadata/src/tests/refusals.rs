use braid_client::{CommitBranch, CreateBranch, CreateRepository, CreateTag, Merge, MergeStrategy};
use braid_types::{Code, TagName};
use braid_wire::proto;

use super::support::*;

#[tokio::test]
async fn names_that_are_not_there_are_refused_by_name() {
    let (_node, client) = Node::with_lake().await;
    let (head, a) = (reference("main"), path("a"));
    let missing = client.stat_object(&lake(), &head, &a).await.unwrap_err();
    assert_eq!((missing.code(), missing.subject()), (Code::ObjectNotFound, "a"));
    assert_eq!(code(client.stat_object(&lake(), &reference("dev"), &a).await), Code::RefNotFound);
    assert_eq!(code(client.stat_object(&repository("pond"), &head, &a).await), Code::RepositoryNotFound);
    assert_eq!(code(client.get_branch(&lake(), &branch("dev")).await), Code::BranchNotFound);
    assert_eq!(code(client.get_commit(&lake(), &reference("0000")).await), Code::RefNotFound);
    assert_eq!(code(client.get_download_url(&lake(), &head, &a).await), Code::ObjectNotFound);
    assert_eq!(code(client.delete_branch(&lake(), &branch("dev")).await), Code::BranchNotFound);
    assert_eq!(code(client.delete_repository(&repository("pond")).await), Code::RepositoryNotFound);
    assert_eq!(code(commit(&client, &branch("dev"), "m").await), Code::BranchNotFound);
}

#[tokio::test]
async fn names_that_are_taken_are_refused() {
    let (_node, client) = Node::with_lake().await;
    let create = CreateRepository { name: lake(), storage_namespace: None, default_branch: None };
    assert_eq!(code(client.create_repository(create).await), Code::RepositoryExists);
    let again =
        CreateBranch { repository: lake(), name: main_branch(), source: reference("main"), hidden: false };
    assert_eq!(code(client.create_branch(again).await), Code::BranchExists);
    let name = TagName::new("main").unwrap();
    let tag = CreateTag { repository: lake(), name, reference: reference("main") };
    assert_eq!(code(client.create_tag(tag).await), Code::RefNameTaken);
}

#[tokio::test]
async fn commits_need_something_to_commit_and_keep_the_limits() {
    let (node, client) = Node::with_lake().await;
    let before = client.get_branch(&lake(), &main_branch()).await.unwrap();
    assert_eq!(code(commit(&client, &main_branch(), "m").await), Code::NothingToCommit);
    node.write(&client, &main_branch(), "a", "x").await;
    let long = commit(&client, &main_branch(), &"m".repeat(65_537)).await.unwrap_err();
    assert_eq!(long.code(), Code::LimitExceeded);
    assert!(long.message().contains("65537 bytes; the limit is 65536"), "{long}");
    assert_eq!(client.get_branch(&lake(), &main_branch()).await.unwrap(), before);
    assert_eq!(paths(&client, "main").await, ["a"]);
}

#[tokio::test]
async fn an_empty_commit_is_made_when_asked_for() {
    let (_node, client) = Node::with_lake().await;
    let empty = CommitBranch {
        repository: lake(),
        branch: main_branch(),
        message: "empty".to_owned(),
        metadata: Default::default(),
        allow_empty: true,
        date: Some(braid_types::Time::from_seconds(77)),
    };
    let made = client.commit(empty).await.unwrap();
    assert_eq!((made.commit.time.seconds, made.commit.generation), (77, 2));
}

#[tokio::test]
async fn the_default_branch_stays_and_is_not_merged_into_itself() {
    let (_node, client) = Node::with_lake().await;
    assert_eq!(code(client.delete_branch(&lake(), &main_branch()).await), Code::DefaultBranch);
    let itself = Merge {
        repository: lake(),
        source: reference("main"),
        destination: main_branch(),
        strategy: MergeStrategy::Refuse,
        message: None,
        metadata: Default::default(),
        squash: false,
        allow_empty: false,
    };
    assert_eq!(code(client.merge(itself).await), Code::SameBranch);
}

#[tokio::test]
async fn malformed_requests_name_the_field() {
    let (node, _client) = Node::with_lake().await;
    let (repository, branch) = ("lake".to_owned(), "-dev".to_owned());
    let wrong_branch = proto::GetBranchRequest { repository: repository.clone(), branch };
    let refused = told(&node.ref_service().get_branch(node.request(wrong_branch)).await.unwrap_err());
    assert_eq!((refused.code(), refused.subject()), (Code::InvalidName, "-dev"));
    assert!(refused.message().starts_with("branch: "), "{refused}");
    let no_scope = proto::ResetBranchRequest {
        repository: repository.clone(),
        branch: "main".to_owned(),
        scope: None,
        request_id: String::new(),
    };
    let refused = told(&node.ref_service().reset_branch(node.request(no_scope)).await.unwrap_err());
    assert_eq!(refused.code(), Code::InvalidArgument);
    let wrong_id = proto::DeleteRepositoryRequest { repository, request_id: "a b".to_owned() };
    let refused =
        told(&node.repository_service().delete_repository(node.request(wrong_id)).await.unwrap_err());
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().starts_with("request_id: "), "{refused}");
}
