use std::collections::HashSet;
use std::time::Duration;

use braid_types::{BranchName, Code, Error, ObjectPath, RepositoryName};
use braid_wire::proto;
use futures::TryStreamExt;
use tokio::net::TcpListener;
use tonic::Status;

use super::fake::{Asked, Fake, Reply};
use super::routes;
use crate::{ClientConfig, CreateRepository, RetryPolicy, Timeouts};

const CREATE: &str = "RepositoryService/CreateRepository";
const GET: &str = "RepositoryService/GetRepository";
const LIST: &str = "RepositoryService/ListRepositories";
const DELETE: &str = "RepositoryService/DeleteRepository";

fn name(text: &str) -> RepositoryName {
    RepositoryName::new(text).unwrap()
}

fn create(text: &str) -> CreateRepository {
    CreateRepository { name: name(text), storage_namespace: None, default_branch: None }
}

fn repository(name: &str) -> proto::Repository {
    proto::Repository {
        name: name.into(),
        id: "a5".repeat(16),
        storage_namespace: "s3://bucket/x".into(),
        default_branch: "main".into(),
        created_at: Some(prost_timestamp()),
        read_only: false,
    }
}

fn prost_timestamp() -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: 5, nanos: 0 }
}

fn request_ids(fake: &Fake) -> Vec<String> {
    let asked = fake.asked_of(CREATE);
    asked.iter().map(|asked| asked.decode::<proto::CreateRepositoryRequest>().request_id).collect()
}

#[tokio::test]
async fn a_lost_reply_is_asked_for_again_under_the_same_request_id() {
    let fake = Fake::start().await;
    fake.on(CREATE, Reply::Lost).on(CREATE, Reply::ok(&repository("abc")));
    fake.on(CREATE, Reply::ok(&repository("def")));
    let client = fake.client();
    let made = client.create_repository(create("abc")).await.unwrap();
    assert_eq!((made.name, made.default_branch), (name("abc"), BranchName::new("main").unwrap()));
    client.create_repository(create("def")).await.unwrap();

    let ids = request_ids(&fake);
    assert_eq!(ids.len(), 3);
    assert!(!ids[0].is_empty());
    assert_eq!(ids[0], ids[1], "one operation, one id");
    assert_ne!(ids[1], ids[2], "another operation, another id");
}

#[tokio::test]
async fn attempts_are_bounded_and_leave_doubt() {
    let fake = Fake::start().await;
    for _ in 0..9 {
        fake.on(CREATE, Reply::Lost).on(GET, Reply::Lost);
    }
    let error = fake.client().create_repository(create("abc")).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.may_have_happened());
    let ids: HashSet<_> = request_ids(&fake).into_iter().collect();
    assert_eq!((fake.asked().len(), ids.len()), (3, 1));

    let error = fake.client().get_repository(&name("abc")).await.unwrap_err();
    assert!(!error.may_have_happened(), "reads do nothing");
    assert_eq!(fake.asked_of(GET).len(), 3);
}

#[tokio::test]
async fn refusals_come_back_whole_and_at_once() {
    let fake = Fake::start().await;
    let refusal = Error::new(Code::RepositoryExists, "abc", "repository 'abc' exists");
    fake.on(CREATE, Reply::Lost).on(CREATE, Reply::error(&refusal));
    assert_eq!(fake.client().create_repository(create("abc")).await.unwrap_err(), refusal);
    assert_eq!(fake.asked().len(), 2);
}

#[tokio::test]
async fn what_the_server_says_may_succeed_is_tried_again() {
    let fake = Fake::start().await;
    fake.on(GET, Reply::error(&Error::new(Code::Busy, "abc", "too much is waiting")));
    fake.on(GET, Reply::ok(&repository("abc")));
    fake.client().get_repository(&name("abc")).await.unwrap();
}

#[tokio::test]
async fn failures_that_name_long_paths_arrive_whole() {
    let fake = Fake::start().await;
    let long = "é".repeat(2048);
    let refusal = Error::new(Code::ObjectNotFound, long.clone(), format!("there is no object at '{long}'"));
    fake.on(GET, Reply::error(&refusal));
    assert_eq!(fake.client().get_repository(&name("abc")).await.unwrap_err(), refusal);
}

#[tokio::test]
async fn every_call_carries_the_credentials() {
    let fake = Fake::start().await;
    let client = fake.client();
    let _ = client.get_repository(&name("abc")).await;
    let _ = client.delete_repository(&name("abc")).await;
    let _: Result<Vec<_>, _> = client.repositories("").try_collect().await;
    let _: Result<Vec<_>, _> = client.log(routes::log()).try_collect().await;
    let asked = fake.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|asked| asked.authorization.as_deref() == Some("Basic a2V5OnNlY3JldA==")));

    let anonymous = ClientConfig { credentials: None, ..fake.config() };
    let _ = fake.client_with(&anonymous).get_repository(&name("abc")).await;
    assert_eq!(fake.asked().last().unwrap().authorization, None);
}

#[tokio::test]
async fn a_server_that_was_never_reached_did_nothing() {
    let fake = Fake::start().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = ClientConfig { endpoints: vec![format!("http://{closed}")], ..fake.config() };
    let error = fake.client_with(&config).create_repository(create("abc")).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(!error.may_have_happened());
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let fake = Fake::start().await;
    fake.on(CREATE, Reply::Silence).on(GET, Reply::Silence);
    let timeouts = Timeouts { call: Duration::from_millis(20), ..Timeouts::default() };
    let retry = RetryPolicy { attempts: 1, ..fake.config().retry };
    let client = fake.client_with(&ClientConfig { timeouts, retry, ..fake.config() });
    let error = client.create_repository(create("abc")).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(error.may_have_happened());
    assert!(!client.get_repository(&name("abc")).await.unwrap_err().may_have_happened());
}

#[tokio::test]
async fn answers_that_make_no_sense_are_faults_of_the_server() {
    let fake = Fake::start().await;
    let nonsense = proto::Repository { id: "x".into(), ..repository("abc") };
    fake.on(CREATE, Reply::ok(&nonsense)).on(GET, Reply::ok(&nonsense));
    let error = fake.client().get_repository(&name("abc")).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(error.message().contains("id: 'x' is not a repository id"), "{error}");
    let error = fake.client().create_repository(create("abc")).await.unwrap_err();
    assert!(error.may_have_happened(), "the repository was made");
}

#[tokio::test]
async fn lists_follow_their_pages() {
    let fake = Fake::start().await;
    let page = |names: &[&str], next: &str| proto::ListRepositoriesResponse {
        repositories: names.iter().map(|name| repository(name)).collect(),
        next_page_token: next.into(),
    };
    fake.on(LIST, Reply::ok(&page(&["abc", "abd"], "t1")));
    fake.on(LIST, Reply::ok(&page(&[], "t2")));
    fake.on(LIST, Reply::ok(&page(&["abe"], "")));
    let all: Vec<_> =
        fake.client().repositories("ab").map_ok(|found| found.name).try_collect().await.unwrap();
    assert_eq!(all, [name("abc"), name("abd"), name("abe")]);
    let asked: Vec<proto::ListRepositoriesRequest> = fake.asked().iter().map(Asked::decode).collect();
    assert_eq!(asked.iter().map(|request| request.page_token.as_str()).collect::<Vec<_>>(), ["", "t1", "t2"]);
    assert!(asked.iter().all(|request| request.prefix == "ab"));
}

#[tokio::test]
async fn calls_can_be_spawned() {
    let fake = Fake::start().await;
    fake.on(DELETE, Reply::ok(&proto::DeleteRepositoryResponse {}));
    let client = fake.client();
    tokio::spawn(async move { client.delete_repository(&name("abc")).await }).await.unwrap().unwrap();
}

#[tokio::test]
async fn statuses_of_something_in_between_are_understood() {
    let fake = Fake::start().await;
    fake.on(GET, Reply::Messages(vec![], Some(Status::unauthenticated("who are you?"))));
    let error = fake.client().get_repository(&name("abc")).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    assert!(error.message().contains("who are you?"), "{error}");
}

#[tokio::test]
async fn answers_have_as_many_items_as_were_asked_for() {
    let fake = Fake::start().await;
    fake.on("ObjectService/CreateUploads", Reply::ok(&proto::CreateUploadsResponse::default()));
    fake.on("ObjectService/LinkUploads", Reply::ok(&proto::LinkUploadsResponse::default()));
    let (client, branch) = (fake.client(), BranchName::new("main").unwrap());
    let error = client.create_uploads(&name("abc"), &branch, vec![routes::target()]).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    let error = client.link_uploads(&name("abc"), &branch, vec![routes::link()]).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(error.may_have_happened());
}

#[tokio::test]
async fn large_answers_are_taken() {
    let fake = Fake::start().await;
    let large = proto::Repository { storage_namespace: "x".repeat(5 << 20), ..repository("abc") };
    fake.on(GET, Reply::ok(&large));
    fake.client().get_repository(&name("abc")).await.unwrap();
}

#[tokio::test]
async fn a_delete_says_what_was_there_or_that_the_answer_makes_no_sense() {
    const MANY: &str = "ObjectService/DeleteObjects";
    let fake = Fake::start().await;
    let (client, on) = (fake.client(), BranchName::new("main").unwrap());
    let paths = vec![ObjectPath::new("a").unwrap(), ObjectPath::new("b").unwrap()];
    fake.on("ObjectService/DeleteObject", Reply::ok(&proto::DeleteObjectResponse { existed: true }));
    assert!(client.delete_object(&name("abc"), &on, &paths[0]).await.unwrap());
    for existed in [vec![false, true], vec![true]] {
        fake.on(MANY, Reply::ok(&proto::DeleteObjectsResponse { existed }));
    }
    assert_eq!(client.delete_objects(&name("abc"), &on, paths.clone()).await.unwrap(), [false, true]);
    let short = client.delete_objects(&name("abc"), &on, paths).await.unwrap_err();
    assert_eq!((short.code(), short.may_have_happened()), (Code::Internal, true));
}
