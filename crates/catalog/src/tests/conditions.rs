//! Conditions on operations, and transactions over several branches.

use braid_types::{Code, RepositoryName};

use super::lake::*;
use crate::*;

fn put_if_etag(at: &str, etag: &str, content: &str) -> StagedOperation {
    StagedOperation::Put { path: path(at), entry: entry(content), condition: Condition::IfEtag(etag.into()) }
}

fn delete_if_etag(at: &str, etag: &str) -> StagedOperation {
    StagedOperation::Delete { path: path(at), condition: Condition::IfEtag(etag.into()) }
}

pub(super) fn on(name: &str) -> BranchAddress {
    BranchAddress { repository: repo(), branch: branch(name) }
}

pub(super) fn operation(name: &str, operation: StagedOperation) -> ApplyOperation {
    ApplyOperation { at: on(name), repository_id: None, operation }
}

pub(super) fn absent(name: &str, at: &str) -> Precondition {
    Precondition { at: on(name), path: path(at), condition: Condition::IfAbsent }
}

impl Lake {
    pub(super) async fn apply(
        &self,
        preconditions: Vec<Precondition>,
        operations: Vec<ApplyOperation>,
    ) -> braid_types::Result<Vec<Applied>> {
        self.catalog.apply(&ApplyRequest { preconditions, operations }, &self.mutation()).await
    }
}

#[tokio::test]
async fn an_etag_is_compared_with_what_is_seen_through_every_layer() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.put("main", "b", "1").await;
    lake.seal("main").await;
    for at in ["a", "b"] {
        let refused = lake.stage("main", &[put_if_etag(at, "0", "2")]).await.unwrap_err();
        assert_eq!((refused.code(), refused.subject()), (Code::PreconditionFailed, at));
        assert_eq!(refused.message(), format!("the object at '{at}' has etag '1', not '0' (if etag)"));
        lake.stage("main", &[put_if_etag(at, "1", "2")]).await.unwrap();
        lake.stage("main", &[delete_if_etag(at, "1")]).await.unwrap_err();
        assert_eq!(lake.stage("main", &[delete_if_etag(at, "2")]).await.unwrap(), [Applied::Deleted]);
        let refused = lake.stage("main", &[delete_if_etag(at, "2")]).await.unwrap_err();
        assert!(refused.message().starts_with(&format!("there is no object at '{at}'")), "{refused}");
    }
    assert!(lake.content("main").await.is_empty());
}

#[tokio::test]
async fn a_refused_batch_names_the_operation_and_the_rule() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    let operations = [put("b", "1"), put_if_etag("a", "1", "2"), put_if_etag("a", "1", "3")];
    let refused = lake.stage("main", &operations).await.unwrap_err();
    let expected = "operation 3 of 3 (if etag): the object at 'a' has etag '2', not '1'";
    assert_eq!(refused.message(), expected, "it sees what the second one put");
    assert_eq!(lake.content("main").await, content([("a", "1")]));
}

#[tokio::test]
async fn several_branches_and_repositories_change_together_or_not_at_all() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    let pond = RepositoryName::new("pond").unwrap();
    let create = CreateRepository {
        name: pond.clone(),
        storage_namespace: "mem://pond".into(),
        default_branch: branch("main"),
    };
    lake.catalog.create_repository(create, &lake.mutation()).await.unwrap();
    let in_pond = |at: &str| ApplyOperation {
        at: BranchAddress { repository: pond.clone(), branch: branch("main") },
        repository_id: None,
        operation: put_if_absent(at, "pond"),
    };
    let operations = vec![operation("main", put("a", "1")), operation("side", put("a", "2")), in_pond("a")];
    let applied =
        lake.apply(vec![absent("main", "a"), absent("side", "b")], operations.clone()).await.unwrap();
    assert_eq!(applied, vec![Applied::Put; 3]);
    assert_eq!(lake.content("main").await, content([("a", "1")]));
    assert_eq!(lake.content("side").await, content([("a", "2")]));

    let operations = vec![operation("main", put("b", "1")), operation("side", delete("a")), in_pond("a")];
    let refused = lake.apply(vec![], operations).await.unwrap_err();
    let expected = "operation 3 of 3 (if absent): there is an object at 'a' on 'pond/main' already";
    assert_eq!((refused.code(), refused.message()), (Code::PreconditionFailed, expected));
    assert_eq!(lake.content("main").await, content([("a", "1")]));
    assert_eq!(lake.content("side").await, content([("a", "2")]));
    let missing = lake.apply(vec![absent("gone", "a")], vec![operation("main", put("b", "1"))]).await;
    assert_eq!(missing.unwrap_err().code(), Code::BranchNotFound);
    assert_eq!(lake.content("main").await, content([("a", "1")]));
}

#[tokio::test]
async fn preconditions_are_about_what_was_there_before_and_operations_see_each_other() {
    let lake = Lake::new().await;
    let operations = vec![operation("main", put("a", "1")), operation("main", delete("a"))];
    let applied = lake.apply(vec![absent("main", "a"), absent("main", "a")], operations).await.unwrap();
    assert_eq!(applied, [Applied::Put, Applied::Deleted]);
    let two = vec![operation("main", put_if_absent("a", "1")), operation("main", put_if_absent("a", "2"))];
    assert_eq!(lake.apply(vec![], two).await.unwrap_err().code(), Code::PreconditionFailed);
    assert!(lake.content("main").await.is_empty());
}

#[tokio::test]
async fn put_y_if_x_absent_and_put_x_if_y_absent_are_not_both_done() {
    for (theirs, ours) in [("main", "main"), ("main", "side"), ("side", "main")] {
        let lake = Lake::new().await;
        lake.branch("side", "main").await;
        let other = lake.restarted();
        let (they, we) = (theirs.to_owned(), ours.to_owned());
        // They commit between our reads and our commit.
        lake.world.interrupt(move || async move {
            other.apply(vec![absent(&we, "y")], vec![operation(&they, put("x", "1"))]).await.unwrap();
        });
        let refused = lake.apply(vec![absent(theirs, "x")], vec![operation(ours, put("y", "1"))]).await;
        assert_eq!(refused.unwrap_err().code(), Code::PreconditionFailed, "{theirs} {ours}");
        assert_eq!(lake.get(theirs, "x").await.as_deref(), Some("1"));
        assert_eq!(lake.get(ours, "y").await, None);
    }
}

#[tokio::test]
async fn an_answer_that_there_was_nothing_to_delete_is_relied_on() {
    // In some of the rounds the two are in lanes of their own, and do not meet by chance.
    for round in 0..4 {
        let lake = Lake::new().await;
        for _ in 0..round {
            lake.world.catalog();
        }
        let other = lake.restarted();
        lake.world.interrupt(move || async move {
            assert_eq!(
                other.stage("main", &[delete("y"), put("x", "1")]).await.unwrap()[0],
                Applied::Missing
            );
        });
        // Whichever came first, the other one's delete found something.
        assert_eq!(lake.stage("main", &[delete("x"), put("y", "1")]).await.unwrap()[0], Applied::Deleted);
    }
}

#[tokio::test]
async fn a_precondition_does_not_survive_a_merge_that_brings_the_path() {
    for (demanded, written) in [("main", "side"), ("side", "main")] {
        let lake = Lake::new().await;
        lake.branch("side", "main").await;
        lake.branch("source", "main").await;
        lake.put("source", "x", "merged").await;
        lake.commit("source").await;
        let other = lake.restarted();
        lake.world.interrupt(move || async move {
            other.merge("source", demanded).await;
        });
        let refused = lake.apply(vec![absent(demanded, "x")], vec![operation(written, put("y", "1"))]).await;
        assert_eq!(refused.unwrap_err().code(), Code::PreconditionFailed, "{demanded}");
        assert_eq!(lake.get(written, "y").await, None);
    }
}

#[tokio::test]
async fn transactions_over_the_same_branches_in_any_order_all_end() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    let other = lake.restarted();
    for round in 0..20 {
        let (there, back) = (format!("there{round}"), format!("back{round}"));
        let first = vec![operation("main", put(&there, "1")), operation("side", put(&there, "1"))];
        let second = vec![operation("side", put(&back, "1")), operation("main", put(&back, "1"))];
        let (one, two, three) = tokio::join!(
            lake.apply(vec![], first.clone()),
            lake.apply(vec![], second),
            other.apply(vec![], first)
        );
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
    }
    assert_eq!(lake.content("main").await.len(), 40);
    assert_eq!(lake.content("main").await, lake.content("side").await);
}

/// All lanes of a branch.
async fn all_lanes(lake: &Lake, name: &str) -> Vec<braid_kv::LaneGuard> {
    let open = lake.record_of(name).await.open;
    let lanes = lake.catalog.lanes(open.token.as_bytes(), open.lanes);
    futures::future::join_all((0..open.lanes).map(|_| lanes.acquire())).await
}

#[tokio::test]
async fn transactions_that_want_lanes_of_the_same_branches_do_not_wait_in_a_circle() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    let (mut main, mut side) = (all_lanes(&lake, "main").await, all_lanes(&lake, "side").await);
    // Only the last ones come free, when both transactions have lined up for their first.
    let (last_main, last_side) = (main.pop(), side.pop());
    let release = async {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        drop((last_main, last_side));
    };
    let to = vec![operation("main", put("a", "1")), operation("side", put("a", "1"))];
    let back = vec![operation("side", put("b", "1")), operation("main", put("b", "1"))];
    let (one, two, ()) = tokio::join!(lake.apply(vec![], to), lake.apply(vec![], back), release);
    assert!(one.is_ok() && two.is_ok());
}

#[tokio::test]
async fn a_retried_apply_answers_as_the_first_did_even_when_its_branch_is_gone() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    lake.put("side", "a", "1").await;
    let operations = vec![operation("side", delete("a")), operation("main", put("b", "1"))];
    let request = ApplyRequest { preconditions: vec![absent("main", "b")], operations };
    let by = lake.mutation();
    let first = lake.catalog.apply(&request, &by).await.unwrap();
    assert_eq!(first, [Applied::Deleted, Applied::Put]);
    lake.put("main", "b", "2").await;
    assert_eq!(lake.catalog.apply(&request, &by).await.unwrap(), first);
    assert_eq!(lake.get("main", "b").await.as_deref(), Some("2"), "it was not done again");
    lake.catalog.delete_branch(&repo(), &branch("side"), &lake.mutation()).await.unwrap();
    assert_eq!(lake.catalog.apply(&request, &by).await.unwrap(), first);

    let other = ApplyRequest { preconditions: vec![], ..request };
    assert_eq!(lake.catalog.apply(&other, &by).await.unwrap_err().code(), Code::BranchNotFound);
    lake.branch("side", "main").await;
    assert_eq!(lake.catalog.apply(&other, &by).await.unwrap_err().code(), Code::RequestIdReused);
}

#[tokio::test]
async fn entries_of_a_repository_that_was_made_anew_are_not_applied() {
    let lake = Lake::new().await;
    let old = lake.catalog.repository(&repo()).await.unwrap();
    let put = ApplyOperation { repository_id: Some(old.id), ..operation("main", put("a", "1")) };
    lake.apply(vec![], vec![put.clone()]).await.unwrap();
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    let create = CreateRepository {
        name: repo(),
        storage_namespace: "mem://again".into(),
        default_branch: branch("main"),
    };
    lake.catalog.create_repository(create, &lake.mutation()).await.unwrap();
    assert_eq!(lake.apply(vec![], vec![put]).await.unwrap_err().code(), Code::RepositoryNotFound);
    assert!(lake.content("main").await.is_empty());
}

#[tokio::test]
async fn ten_thousand_operations_on_many_branches_are_one_transaction() {
    let lake = Lake::new().await;
    for number in 0..10 {
        lake.branch(&format!("b{number}"), "main").await;
    }
    let operations = |count: usize| -> Vec<_> {
        (0..count)
            .map(|number| operation(&format!("b{}", number % 10), put(&number.to_string(), "1")))
            .collect()
    };
    lake.apply(vec![], operations(10_000)).await.unwrap();
    assert_eq!(lake.content("b3").await.len(), 1_000);
    assert_eq!(lake.apply(vec![], operations(10_001)).await.unwrap_err().code(), Code::LimitExceeded);
    assert_eq!(lake.apply(vec![], vec![]).await.unwrap_err().code(), Code::LimitExceeded);
    let many = vec![absent("b1", "none"); 10_001];
    let refused = lake.apply(many, operations(1)).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::LimitExceeded, "preconditions"));
}
