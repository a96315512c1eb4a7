//! Links that are under way together.

use std::collections::BTreeSet;

use braid_types::{BranchName, Code, Error, RepositoryName};
use braid_wire::{LinkAnswer, Object, proto};
use futures::future::join_all;

use super::fake::{Asked, Fake, Reply};
use super::routes;
use crate::Client;

const ALONE: &str = "ObjectService/LinkUpload";
const EACH: &str = "ObjectService/LinkEach";

/// Calls that go alone before others wait for them.
const LANES: usize = 2;

async fn link(client: &Client) -> Result<Object, Error> {
    let repository = RepositoryName::new("repo").unwrap();
    client.link_upload(&repository, &BranchName::new("main").unwrap(), routes::link()).await
}

fn object(path: &str) -> proto::Object {
    let mtime = Some(prost_types::Timestamp { seconds: 5, nanos: 0 });
    proto::Object { path: path.into(), physical_address: "s3://b/k".into(), mtime, ..Default::default() }
}

fn linked(path: &str) -> LinkAnswer {
    LinkAnswer(Ok(object(path).try_into().unwrap()))
}

fn each(answers: Vec<LinkAnswer>) -> Reply {
    Reply::ok(&proto::LinkEachResponse::from(answers))
}

fn request_ids(asked: &Asked) -> Vec<String> {
    asked.decode::<proto::LinkEachRequest>().calls.into_iter().map(|call| call.request_id).collect()
}

/// A server on which as many calls as go alone are never answered.
async fn stuck() -> (Fake, Client, Vec<tokio::task::JoinHandle<()>>) {
    let fake = Fake::start().await;
    let client = fake.client();
    let mut under_way = Vec::new();
    for _ in 0..LANES {
        fake.on(ALONE, Reply::Silence);
        let client = client.clone();
        under_way.push(tokio::spawn(async move { drop(link(&client).await) }));
    }
    while fake.asked_of(ALONE).len() < LANES {
        tokio::task::yield_now().await;
    }
    (fake, client, under_way)
}

#[tokio::test]
async fn those_that_wait_go_together_and_are_answered_each_for_itself() {
    let (fake, client, _under_way) = stuck().await;
    let refused = Error::new(Code::PreconditionFailed, "b", "there is an object at 'b'");
    fake.on(EACH, each(vec![linked("a"), LinkAnswer(Err(refused.clone())), linked("c")]));
    let answers = join_all([link(&client), link(&client), link(&client)]).await;
    assert_eq!(answers[0].as_ref().unwrap().path.as_str(), "a");
    assert_eq!(answers[1], Err(refused));
    assert_eq!(answers[2].as_ref().unwrap().path.as_str(), "c");
    let asked = fake.asked_of(EACH);
    assert_eq!((asked.len(), fake.asked_of(ALONE).len()), (1, LANES), "nobody waits long for a stuck call");
    assert_eq!(request_ids(&asked[0]).into_iter().collect::<BTreeSet<_>>().len(), 3, "each has its own id");
}

#[tokio::test]
async fn one_whose_answer_was_lost_is_sent_again_under_its_id() {
    let (fake, client, _under_way) = stuck().await;
    fake.on(EACH, Reply::Lost).on(EACH, each(vec![linked("a")]));
    link(&client).await.unwrap();
    let asked = fake.asked_of(EACH);
    assert_eq!(asked.len(), 2);
    assert_eq!(request_ids(&asked[0]), request_ids(&asked[1]));
}

#[tokio::test]
async fn an_answer_for_another_number_of_links_leaves_all_in_doubt() {
    let (fake, client, _under_way) = stuck().await;
    fake.on(EACH, each(vec![linked("a")]));
    for answer in join_all([link(&client), link(&client)]).await {
        let error = answer.unwrap_err();
        assert_eq!((error.code(), error.may_have_happened()), (Code::Internal, true));
    }
}

#[tokio::test]
async fn one_whose_caller_went_away_is_not_sent() {
    let (fake, client, _under_way) = stuck().await;
    fake.on(EACH, each(vec![linked("a")]));
    let mut gone = Box::pin(link(&client));
    assert!(futures::poll!(&mut gone).is_pending());
    drop(gone);
    link(&client).await.unwrap();
    assert_eq!(request_ids(&fake.asked_of(EACH)[0]).len(), 1);
}

#[tokio::test]
async fn whoever_waits_goes_when_a_call_ends() {
    let (fake, client, under_way) = stuck().await;
    fake.on(EACH, each(vec![linked("a"), linked("b")]));
    let waiting = [link(&client), link(&client)].map(Box::pin);
    let mut waiting = join_all(waiting);
    assert!(futures::poll!(&mut waiting).is_pending());
    under_way.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(waiting.await.iter().all(Result::is_ok));
    assert_eq!(fake.asked_of(EACH).len(), 1);
    // The rights to go alone came back.
    fake.on(ALONE, Reply::ok(&object("c"))).on(ALONE, Reply::ok(&object("d")));
    for answer in join_all([link(&client), link(&client)]).await {
        answer.unwrap();
    }
    assert_eq!(fake.asked_of(ALONE).len(), 2 * LANES);
}

#[tokio::test]
async fn what_is_done_for_somebody_does_not_go_with_what_is_done_for_others() {
    let fake = Fake::start().await;
    let client = fake.client();
    let callers: Vec<_> = (0..2 * LANES).map(|who| client.with_extension(who)).collect();
    for _ in &callers {
        fake.on(ALONE, Reply::ok(&object("a")));
    }
    for answer in join_all(callers.iter().map(link)).await {
        answer.unwrap();
    }
    assert_eq!(fake.asked_of(ALONE).len(), callers.len());
}
