use braid_types::{Code, RepositoryName};
use braid_wire::proto;
use futures::TryStreamExt;
use tokio::net::TcpListener;

use super::fake::{Fake, Reply};
use super::routes;
use crate::{Client, ClientConfig, RetryPolicy};

const CREATE: &str = "RepositoryService/CreateRepository";
const GET: &str = "RepositoryService/GetRepository";
const LOG: &str = "CommitService/Log";

fn lake() -> RepositoryName {
    RepositoryName::new("lake").unwrap()
}

fn repository() -> proto::Repository {
    proto::Repository {
        name: "lake".into(),
        id: "a5".repeat(16),
        storage_namespace: "s3://bucket/x".into(),
        default_branch: "main".into(),
        created_at: Some(prost_types::Timestamp { seconds: 5, nanos: 0 }),
        read_only: false,
    }
}

/// A client of all of them that makes each call as often as there are nodes.
fn client(fakes: &[&Fake], closed: &[String]) -> Client {
    let endpoints = fakes.iter().map(|fake| format!("http://{}", fake.address));
    let endpoints: Vec<String> = endpoints.chain(closed.iter().cloned()).collect();
    let attempts = endpoints.len().try_into().unwrap();
    let retry = RetryPolicy { attempts, ..fakes[0].config().retry };
    fakes[0].client_with(&ClientConfig { endpoints, retry, ..fakes[0].config() })
}

async fn nobody() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap())
}

#[tokio::test]
async fn calls_are_spread_over_all_nodes() {
    let (one, two) = (Fake::start().await, Fake::start().await);
    let client = client(&[&one, &two], &[]);
    for fake in [&one, &two] {
        (0..3).for_each(|_| _ = fake.on(GET, Reply::ok(&repository())));
    }
    for _ in 0..6 {
        client.clone().get_repository(&lake()).await.unwrap();
    }
    assert_eq!((one.asked().len(), two.asked().len()), (3, 3));
}

#[tokio::test]
async fn nodes_that_cannot_be_reached_are_gone_around() {
    let (fake, gone) = (Fake::start().await, nobody().await);
    let client = client(&[&fake], &[gone.clone(), gone]);
    for _ in 0..20 {
        fake.on(GET, Reply::ok(&repository()));
        client.get_repository(&lake()).await.unwrap();
    }
    assert_eq!(fake.asked().len(), 20);
}

#[tokio::test]
async fn what_one_node_did_not_answer_the_next_is_asked_under_the_same_request_id() {
    let (one, two) = (Fake::start().await, Fake::start().await);
    let client = client(&[&one, &two], &[]);
    // Whichever is asked first.
    for fake in [&one, &two] {
        fake.on(CREATE, Reply::Lost).on(CREATE, Reply::ok(&repository()));
    }
    let create = crate::CreateRepository { name: lake(), storage_namespace: None, default_branch: None };
    let error = client.create_repository(create.clone()).await.unwrap_err();
    assert_eq!((error.code(), error.may_have_happened()), (Code::Unavailable, true));
    let ids: Vec<String> = [&one, &two]
        .iter()
        .flat_map(|fake| fake.asked_of(CREATE))
        .map(|asked| asked.decode::<proto::CreateRepositoryRequest>().request_id)
        .collect();
    assert_eq!((ids.len(), one.asked().len()), (2, 1), "each node is asked once");
    assert_eq!(ids[0], ids[1]);
    client.create_repository(create).await.unwrap();
}

#[tokio::test]
async fn streams_are_opened_at_another_node() {
    let (fake, gone) = (Fake::start().await, nobody().await);
    let client = client(&[&fake], &[gone]);
    for _ in 0..2 {
        fake.on(LOG, Reply::Messages(vec![], None));
        let commits: Vec<_> = client.log(routes::log()).try_collect().await.unwrap();
        assert!(commits.is_empty());
    }
}
