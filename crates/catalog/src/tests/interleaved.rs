//! Another process acts between the reads and the commit of an operation.

use braid_types::{Code, TagName};

use super::lake::*;

fn tag(name: &str) -> TagName {
    TagName::new(name).unwrap()
}

#[tokio::test]
async fn no_branch_or_tag_is_made_in_a_repository_that_is_deleted_meanwhile() {
    for kind in ["branch", "tag"] {
        let lake = Lake::new().await;
        let other = lake.restarted();
        lake.world.interrupt(move || async move {
            other.catalog.delete_repository(&repo(), &other.mutation()).await.unwrap();
        });
        let made = match kind {
            "branch" => {
                let made = lake
                    .catalog
                    .create_branch(&repo(), &branch("late"), &expr("main"), &lake.mutation())
                    .await;
                made.map(|_| ())
            }
            _ => lake
                .catalog
                .create_tag(&repo(), &tag("late"), &expr("main"), &lake.mutation())
                .await
                .map(|_| ()),
        };
        assert_eq!(made.unwrap_err().code(), Code::RepositoryNotFound, "{kind}");
    }
}

#[tokio::test]
async fn a_branch_and_a_tag_of_one_name_are_not_made_at_once() {
    let lake = Lake::new().await;
    let other = lake.restarted();
    lake.world.interrupt(move || async move {
        other.catalog.create_tag(&repo(), &tag("x"), &expr("main"), &other.mutation()).await.unwrap();
    });
    let made = lake.catalog.create_branch(&repo(), &branch("x"), &expr("main"), &lake.mutation()).await;
    assert_eq!(made.unwrap_err().code(), Code::RefNameTaken);

    let other = lake.restarted();
    lake.world.interrupt(move || async move {
        other.branch("y", "main").await;
    });
    let made = lake.catalog.create_tag(&repo(), &tag("y"), &expr("main"), &lake.mutation()).await;
    assert_eq!(made.unwrap_err().code(), Code::RefNameTaken);
}

#[tokio::test]
async fn of_two_if_absent_puts_one_is_done() {
    let lake = Lake::new().await;
    let other = lake.restarted();
    lake.world.interrupt(move || async move {
        other.stage("main", &[put_if_absent("a", "first")]).await.unwrap();
    });
    let refused = lake.stage("main", &[put_if_absent("a", "second")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PreconditionFailed);
    assert_eq!(lake.get("main", "a").await.as_deref(), Some("first"));
}

#[tokio::test]
async fn a_put_goes_into_the_next_layer_when_its_own_is_committed_meanwhile() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    let other = lake.restarted();
    lake.world.interrupt(move || async move {
        other.commit("main").await;
    });
    lake.put("main", "b", "1").await;
    assert_eq!(lake.content("main@").await, content([("a", "1")]));
    assert_eq!(lake.uncommitted("main").await, ["+b"]);
}

#[tokio::test]
async fn a_put_on_a_branch_that_is_remade_meanwhile_lands_on_the_new_one() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    let other = lake.restarted();
    lake.world.interrupt(move || async move {
        other.catalog.delete_branch(&repo(), &branch("side"), &other.mutation()).await.unwrap();
        other.branch("side", "main").await;
    });
    lake.put("side", "a", "1").await;
    assert_eq!(lake.content("side").await, content([("a", "1")]));
}

#[tokio::test]
async fn a_commit_whose_layers_another_one_took_finds_nothing_to_commit() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.seal("main").await;
    let other = lake.restarted();
    lake.world.interrupt(move || async move {
        other.commit("main").await;
    });
    // The layers were folded twice and are published once.
    assert_eq!(lake.try_commit("main").await.unwrap_err().code(), Code::NothingToCommit);
    let (_, commit) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    assert_eq!(commit.generation, 2);
    assert_eq!(lake.content("main@").await, content([("a", "1")]));
}

#[tokio::test]
async fn a_commit_that_another_attempt_of_the_same_request_made_is_answered_with_it() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.seal("main").await;
    let (request, mutation) = (lake.commit_request("main", "m"), lake.mutation());
    let (other, same) = (lake.restarted(), mutation.clone());
    let again = request.clone();
    lake.world.interrupt(move || async move {
        other.catalog.commit(&repo(), &again, &same).await.unwrap();
    });
    let id = lake.catalog.commit(&repo(), &request, &mutation).await.unwrap();
    assert_eq!(lake.branch_head("main").await, id);
}
