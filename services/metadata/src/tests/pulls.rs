use std::collections::BTreeMap;

use braid_client::{
    Client, CreatePullRequest, ListPullRequests, MergePullRequest, MergeStrategy, PullRequest,
    PullRequestFilter, PullRequestStatus, UpdatePullRequest,
};
use braid_types::{BranchName, Code, PullId};
use futures::TryStreamExt;

use super::support::*;

/// A lake whose branch `side` has a path that `main` lacks.
async fn proposed() -> (Node, Client, CreatePullRequest) {
    let (node, client) = Node::with_lake().await;
    let source = branch_from(&client, "side", "main").await;
    node.write(&client, &source, "a", "1").await;
    commit(&client, &source, "side").await.unwrap();
    let create = CreatePullRequest {
        repository: lake(),
        title: "a".into(),
        description: "what main lacks".into(),
        source,
        destination: main_branch(),
    };
    (node, client, create)
}

fn merging(id: PullId) -> MergePullRequest {
    MergePullRequest {
        repository: lake(),
        id,
        strategy: MergeStrategy::Refuse,
        message: Some("as proposed".into()),
        metadata: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        squash: true,
    }
}

async fn listed(client: &Client, filter: PullRequestFilter) -> Vec<PullRequest> {
    client.pull_requests(&lake(), filter).try_collect().await.unwrap()
}

#[tokio::test]
async fn a_pull_request_lives_until_it_is_merged() {
    let (_node, client, create) = proposed().await;
    let made = client.create_pull_request(create).await.unwrap();
    assert_eq!((made.author.as_str(), made.status), ("ada", PullRequestStatus::Open));
    assert_eq!((made.created_at, made.closed_at, made.merged_commit_id), (START, None, None));
    assert_eq!(client.get_pull_request(&lake(), made.id).await.unwrap(), made);
    let in_list = PullRequest { description: String::new(), ..made.clone() };
    assert_eq!(listed(&client, PullRequestFilter::Open).await, [in_list]);

    let unchanged =
        UpdatePullRequest { repository: lake(), id: made.id, title: None, description: None, status: None };
    assert_eq!(client.update_pull_request(unchanged.clone()).await.unwrap(), made);
    let close = UpdatePullRequest {
        title: Some("b".into()),
        description: Some(String::new()),
        status: Some(PullRequestStatus::Closed),
        ..unchanged.clone()
    };
    let closed = client.update_pull_request(close).await.unwrap();
    assert_eq!((closed.title.as_str(), closed.description.as_str()), ("b", ""));
    assert_eq!((closed.status, closed.closed_at), (PullRequestStatus::Closed, Some(START)));
    assert_eq!(code(client.merge_pull_request(merging(made.id)).await), Code::PullRequestNotOpen);
    let merge_it = UpdatePullRequest { status: Some(PullRequestStatus::Merged), ..unchanged.clone() };
    assert_eq!(code(client.update_pull_request(merge_it).await), Code::InvalidArgument);
    let open = UpdatePullRequest { status: Some(PullRequestStatus::Open), ..unchanged };
    assert_eq!(client.update_pull_request(open.clone()).await.unwrap().closed_at, None);

    let merged = client.merge_pull_request(merging(made.id)).await.unwrap();
    assert_eq!((merged.status, merged.closed_at), (PullRequestStatus::Merged, Some(START)));
    let commit = client.get_commit(&lake(), &reference("main")).await.unwrap();
    assert_eq!(Some(commit.id), merged.merged_commit_id);
    assert_eq!((commit.commit.message.as_str(), commit.commit.parents.len()), ("as proposed", 1));
    assert_eq!((commit.commit.committer.as_str(), commit.commit.metadata["k"].as_str()), ("ada", "v"));
    assert_eq!(paths(&client, "main").await, ["a"]);
    assert_eq!(code(client.update_pull_request(open).await), Code::PullRequestNotOpen);
    assert_eq!(listed(&client, PullRequestFilter::Open).await, []);
    assert_eq!(listed(&client, PullRequestFilter::Closed).await.len(), 1);
}

#[tokio::test]
async fn pull_requests_come_in_pages_and_what_is_none_is_refused() {
    let (_node, client, create) = proposed().await;
    for _ in 0..3 {
        client.create_pull_request(create.clone()).await.unwrap();
    }
    let all = listed(&client, PullRequestFilter::All).await;
    let ids: Vec<PullId> = all.iter().map(|pull| pull.id).collect();
    let list = |after: Option<String>, page_token| ListPullRequests {
        repository: lake(),
        filter: PullRequestFilter::All,
        prefix: String::new(),
        after,
        page_size: Some(1),
        page_token,
    };
    let first = client.list_pull_requests(list(Some(ids[0].to_string()), None)).await.unwrap();
    assert_eq!(first.items[0].id, ids[1]);
    let second = client.list_pull_requests(list(None, first.next_page_token)).await.unwrap();
    assert_eq!((second.items[0].id, second.next_page_token), (ids[2], None));

    let itself = CreatePullRequest { source: main_branch(), ..create.clone() };
    assert_eq!(code(client.create_pull_request(itself).await), Code::SameBranch);
    let nowhere = CreatePullRequest { source: BranchName::new("nowhere").unwrap(), ..create };
    assert_eq!(code(client.create_pull_request(nowhere).await), Code::BranchNotFound);
    let unknown = PullId::from_bytes([0; 12]);
    assert_eq!(code(client.get_pull_request(&lake(), unknown).await), Code::PullRequestNotFound);
}
