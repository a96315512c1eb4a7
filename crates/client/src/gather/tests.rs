//! Links that are under way together.

use std::collections::BTreeSet;

use braid_types::{BranchName, Code, Error, RepositoryName};
use braid_wire::{LinkAnswer, Object, proto};
use futures::future::join_all;

use super::LANES;
use crate::Client;
use crate::tests::fake::{Asked, Fake, Reply};
use crate::tests::routes;

const ALONE: &str = "ObjectService/LinkUpload";
const EACH: &str = "ObjectService/LinkEach";

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
async fn stuck() -> (Fake, Client) {
    let fake = Fake::start().await;
    let client = fake.client();
    for lane in 1..=LANES {
        fake.on(ALONE, Reply::Silence);
        let client = client.clone();
        tokio::spawn(async move { drop(link(&client).await) });
        while fake.asked_of(ALONE).len() < lane {
            tokio::task::yield_now().await;
        }
    }
    (fake, client)
}

#[tokio::test]
async fn those_that_wait_go_together_and_are_answered_each_for_itself() {
    let (fake, client) = stuck().await;
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
    let (fake, client) = stuck().await;
    fake.on(ALONE, Reply::Lost).on(ALONE, Reply::ok(&object("a")));
    link(&client).await.unwrap();
    let asked = fake.asked_of(ALONE);
    let ids = asked.iter().map(|asked| asked.decode::<proto::LinkUploadRequest>().request_id);
    let ids = ids.skip(LANES).collect::<Vec<_>>();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
}

#[tokio::test]
async fn an_answer_for_another_number_of_links_leaves_all_in_doubt() {
    let (fake, client) = stuck().await;
    fake.on(EACH, each(vec![linked("a")]));
    for answer in join_all([link(&client), link(&client)]).await {
        let error = answer.unwrap_err();
        assert_eq!((error.code(), error.may_have_happened()), (Code::Internal, true));
    }
}

#[tokio::test]
async fn one_whose_caller_went_away_is_not_sent() {
    let (fake, client) = stuck().await;
    fake.on(ALONE, Reply::ok(&object("a")));
    let mut gone = Box::pin(link(&client));
    assert!(futures::poll!(&mut gone).is_pending());
    drop(gone);
    link(&client).await.unwrap();
    assert_eq!((fake.asked_of(ALONE).len(), fake.asked_of(EACH).len()), (LANES + 1, 0));
}

#[tokio::test]
async fn those_that_come_at_once_go_at_once() {
    let fake = Fake::start().await;
    let client = fake.client();
    fake.on(EACH, each(vec![linked("a"), linked("b"), linked("c")]));
    for answer in join_all([link(&client), link(&client), link(&client)]).await {
        answer.unwrap();
    }
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn the_right_to_go_comes_back() {
    let fake = Fake::start().await;
    let client = fake.client();
    for _ in 0..=LANES {
        fake.on(ALONE, Reply::ok(&object("a")));
        link(&client).await.unwrap();
    }
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.gather().state.lock().under_way, 0);
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
