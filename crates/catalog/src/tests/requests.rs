//! Retries with one request id do the work once and answer as the first did.

use braid_types::{Code, RequestId};

use super::lake::*;
use crate::*;

fn mutation(id: &str) -> Mutation {
    Mutation { principal: "tester".into(), request: RequestId::new(id).unwrap() }
}

#[tokio::test]
async fn a_retried_put_does_not_undo_what_came_after() {
    let lake = Lake::new().await;
    let first = [put("a", "1")];
    lake.catalog.stage(&repo(), &branch("main"), &first, &mutation("r1")).await.unwrap();
    lake.commit("main").await;
    lake.put("main", "a", "2").await;
    lake.catalog.stage(&repo(), &branch("main"), &first, &mutation("r1")).await.unwrap();
    assert_eq!(lake.get("main", "a").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_retried_delete_answers_as_the_first_did() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    let operations = [delete("a"), delete("x")];
    let first = lake.catalog.stage(&repo(), &branch("main"), &operations, &mutation("r1")).await.unwrap();
    let second = lake.catalog.stage(&repo(), &branch("main"), &operations, &mutation("r1")).await.unwrap();
    assert_eq!(first, [Applied::Deleted, Applied::Missing]);
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_retried_commit_or_merge_gives_the_same_commit() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    lake.put("side", "a", "1").await;
    let request = lake.commit_request("side", "m");
    let first = lake.catalog.commit(&repo(), &request, &mutation("c")).await.unwrap();
    lake.put("side", "b", "1").await;
    let second = lake.catalog.commit(&repo(), &request, &mutation("c")).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(lake.uncommitted("side").await, ["+b"]);

    let merge = lake.merge_request("side", "main", Strategy::Refuse);
    let first = lake.catalog.merge(&repo(), &merge, &mutation("m")).await.unwrap();
    let second = lake.catalog.merge(&repo(), &merge, &mutation("m")).await.unwrap();
    assert_eq!(first, second);
}

#[tokio::test]
async fn retried_refs_are_made_and_deleted_once() {
    let lake = Lake::new().await;
    let create =
        async || lake.catalog.create_branch(&repo(), &branch("b"), &expr("main"), &mutation("r")).await;
    let first = create().await.unwrap();
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    assert_eq!(create().await.unwrap(), first);
    let delete = async || lake.catalog.delete_branch(&repo(), &branch("b"), &mutation("d")).await;
    delete().await.unwrap();
    lake.branch("b", "main").await;
    delete().await.unwrap();
    lake.catalog.branch(&repo(), &branch("b")).await.expect("the retry did not delete the new branch");
}

#[tokio::test]
async fn a_request_id_names_one_request_of_one_principal() {
    let lake = Lake::new().await;
    let stage = async |at: &str, mutation: Mutation| {
        lake.catalog.stage(&repo(), &branch("main"), &[put(at, "1")], &mutation).await
    };
    stage("a", mutation("r")).await.unwrap();
    assert_eq!(stage("b", mutation("r")).await.unwrap_err().code(), Code::RequestIdReused);
    stage("b", Mutation { principal: "other".into(), ..mutation("r") }).await.unwrap();
    assert_eq!(lake.content("main").await, content([("a", "1"), ("b", "1")]));
}

#[tokio::test]
async fn a_commit_that_differs_in_anything_is_another_request() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    let request = lake.commit_request("main", "m");
    lake.catalog.commit(&repo(), &request, &mutation("c")).await.unwrap();
    let metadata = [("k".to_owned(), "v".to_owned())].into();
    for other in [
        CommitRequest { message: "n".into(), ..request.clone() },
        CommitRequest { metadata, ..request.clone() },
        CommitRequest { allow_empty: true, ..request.clone() },
        CommitRequest { time: Some(braid_types::Time::from_seconds(1)), ..request },
    ] {
        let refused = lake.catalog.commit(&repo(), &other, &mutation("c")).await.unwrap_err();
        assert_eq!(refused.code(), Code::RequestIdReused);
    }
}

#[tokio::test]
async fn results_expire_and_are_cleaned_up() {
    let lake = Lake::new().await;
    lake.catalog.stage(&repo(), &branch("main"), &[put("a", "1")], &mutation("r")).await.unwrap();
    assert_eq!(lake.clean_up().await.requests, 0);
    lake.world.clock.advance(Settings::default().request_lifetime);
    assert_eq!(lake.clean_up().await.requests, 2);
    lake.catalog.stage(&repo(), &branch("main"), &[put("b", "1")], &mutation("r")).await.unwrap();
}

#[tokio::test]
async fn two_attempts_of_one_request_at_once_do_it_once() {
    let lake = Lake::new().await;
    let other = lake.restarted();
    lake.put("main", "a", "1").await;
    for round in 0..20 {
        let at = format!("r{round}");
        let operations = [put_if_absent(&at, "1")];
        let (id, main) = (mutation(&at), branch("main"));
        let repo = repo();
        let (one, two) = tokio::join!(
            lake.catalog.stage(&repo, &main, &operations, &id),
            other.catalog.stage(&repo, &main, &operations, &id)
        );
        assert_eq!(one.unwrap(), two.unwrap(), "one of them replays the other");
    }
}
