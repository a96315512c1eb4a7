use braid_types::{Code, Time};

use super::lake::*;
use crate::*;

#[tokio::test]
async fn a_commit_has_what_was_staged_and_leaves_the_branch_clean() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.put("main", "b", "1").await;
    let first = lake.commit("main").await;
    assert!(lake.uncommitted("main").await.is_empty());
    lake.put("main", "a", "2").await;
    lake.delete("main", "b").await;
    lake.put("main", "c", "1").await;
    let second = lake.commit("main").await;

    assert_eq!(lake.content(&first.to_hex()).await, content([("a", "1"), ("b", "1")]));
    assert_eq!(lake.content(&second.to_hex()).await, content([("a", "2"), ("c", "1")]));
    assert_eq!(lake.content("main").await, content([("a", "2"), ("c", "1")]));
    assert_eq!(lake.diff("main~", "main", DiffMode::TwoDot).await, ["~a", "-b", "+c"]);
    let (_, commit) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    assert_eq!((commit.generation, &commit.parents[..]), (3, &[first][..]));
}

#[tokio::test]
async fn nothing_to_commit_is_an_empty_diff_not_an_empty_staging_area() {
    let lake = Lake::new().await;
    assert_eq!(lake.try_commit("main").await.unwrap_err().code(), Code::NothingToCommit);
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.put("main", "a", "1").await;
    assert_eq!(lake.try_commit("main").await.unwrap_err().code(), Code::NothingToCommit);
    lake.put("main", "b", "1").await;
    lake.delete("main", "b").await;
    assert_eq!(lake.try_commit("main").await.unwrap_err().code(), Code::NothingToCommit);
    // Layers that change nothing do not pile up, and leave the branch clean for a merge.
    lake.branch("side", "main").await;
    lake.put("side", "c", "1").await;
    lake.commit("side").await;
    lake.merge("side", "main").await;
    assert_eq!(lake.content("main").await, content([("a", "1"), ("c", "1")]));
}

#[tokio::test]
async fn an_empty_commit_may_be_asked_for_and_a_time_may_be_given() {
    let lake = Lake::new().await;
    let time = Some(Time { seconds: 77, nanos: 5 });
    let request = CommitRequest { allow_empty: true, time, ..lake.commit_request("main", "empty") };
    lake.catalog.commit(&repo(), &request, &lake.mutation()).await.unwrap();
    let (_, commit) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    assert_eq!((commit.time, commit.message.as_str()), (Time::from_seconds(77), "empty"));
}

#[tokio::test]
async fn deleting_everything_gives_the_empty_tree() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.delete("main", "a").await;
    lake.commit("main").await;
    let (_, commit) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    assert_eq!(commit.metarange, None);
    assert!(lake.content("main").await.is_empty());
}

#[tokio::test]
async fn equal_content_has_one_metarange_whatever_the_history() {
    let lake = Lake::new().await;
    lake.branch("other", "main").await;
    for number in 0..40 {
        lake.put("main", &format!("{number:02}"), "1").await;
    }
    lake.commit("main").await;
    for number in (0..40).rev() {
        lake.put("other", &format!("{number:02}"), "1").await;
        lake.put("other", &format!("x{number:02}"), "1").await;
        lake.commit("other").await;
    }
    for number in 0..40 {
        lake.delete("other", &format!("x{number:02}")).await;
    }
    lake.commit("other").await;
    let tree = async |at: &str| lake.catalog.commit_at(&repo(), &expr(at)).await.unwrap().1.metarange;
    assert_eq!(tree("main").await, tree("other").await);
    assert!(tree("main").await.is_some());
}

#[tokio::test]
async fn layers_of_a_commit_that_died_are_read_and_go_into_the_next_one() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.seal("main").await;
    lake.put("main", "b", "1").await;
    lake.put("main", "a", "2").await;
    lake.seal("main").await;
    lake.delete("main", "b").await;
    lake.put("main", "c", "1").await;
    assert_eq!(lake.content("main").await, content([("a", "2"), ("c", "1")]));
    assert_eq!(lake.uncommitted("main").await, ["+a", "+c"]);
    lake.commit("main").await;
    assert_eq!(lake.content("main@").await, content([("a", "2"), ("c", "1")]));
}

#[tokio::test]
async fn over_long_texts_are_refused() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    let request = lake.commit_request("main", &"m".repeat(65_537));
    let error = lake.catalog.commit(&repo(), &request, &lake.mutation()).await.unwrap_err();
    assert_eq!(error.code(), Code::LimitExceeded);
    assert_eq!(lake.uncommitted("main").await, ["+a"]);
}

#[tokio::test]
async fn diffs_compare_commits_bases_and_staged_state() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.put("main", "b", "1").await;
    lake.commit("main").await;
    lake.branch("side", "main").await;
    lake.put("side", "a", "2").await;
    lake.put("side", "c", "1").await;
    lake.commit("side").await;
    lake.delete("main", "b").await;
    lake.commit("main").await;
    assert_eq!(lake.diff("main", "side", DiffMode::ThreeDot).await, ["~a", "+c"]);
    assert_eq!(lake.diff("main", "side", DiffMode::TwoDot).await, ["~a", "+b", "+c"]);
    lake.put("side", "a", "1").await;
    lake.put("side", "d", "1").await;
    lake.delete("side", "c").await;
    lake.put("side", "b", "9").await;
    assert_eq!(lake.diff("main", "side$", DiffMode::TwoDot).await, ["+b", "+d"]);
    assert_eq!(lake.diff("main", "side$", DiffMode::ThreeDot).await, ["~b", "+d"]);
    assert_eq!(lake.uncommitted("side").await, ["~a", "~b", "-c", "+d"]);
}
