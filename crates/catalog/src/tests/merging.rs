use braid_tree::Strategy;
use braid_types::Code;

use super::lake::*;
use crate::*;

/// `main` and `side` part at a commit with a, b, c; `side` changed a, deleted b, added s; `main` added m.
async fn parted() -> Lake {
    let lake = Lake::new().await;
    for at in ["a", "b", "c"] {
        lake.put("main", at, "0").await;
    }
    lake.commit("main").await;
    lake.branch("side", "main").await;
    lake.put("side", "a", "side").await;
    lake.delete("side", "b").await;
    lake.put("side", "s", "1").await;
    lake.commit("side").await;
    lake.put("main", "m", "1").await;
    lake.commit("main").await;
    lake
}

#[tokio::test]
async fn a_merge_brings_what_the_source_changed() {
    let lake = parted().await;
    let (main, side) = (lake.branch_head("main").await, lake.branch_head("side").await);
    let merged = lake.merge("side", "main").await;
    assert_eq!(lake.content("main").await, content([("a", "side"), ("c", "0"), ("m", "1"), ("s", "1")]));
    let (_, commit) = lake.catalog.commit_at(&repo(), &expr(&merged.to_hex())).await.unwrap();
    assert_eq!(commit.parents, [main, side]);
    assert_eq!(commit.generation, 4);
    assert_eq!(commit.metadata[".lakefs.merge.strategy"], "default");
    let error = lake.try_merge("side", "main", Strategy::Refuse).await.unwrap_err();
    assert_eq!(error.code(), Code::NothingToMerge);
}

#[tokio::test]
async fn all_conflicts_are_listed_and_a_strategy_settles_them() {
    let lake = parted().await;
    lake.put("main", "a", "main").await;
    lake.put("main", "b", "main").await;
    lake.delete("main", "c").await;
    lake.put("main", "s", "2").await;
    lake.commit("main").await;
    lake.put("side", "c", "side").await;
    lake.commit("side").await;
    let before = lake.branch_head("main").await;
    let error = lake.try_merge("side", "main", Strategy::Refuse).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::MergeConflict, "a"));
    assert_eq!(lake.branch_head("main").await, before);

    let mut conflicts = lake.catalog.merge_conflicts(&repo(), &expr("side"), &expr("main")).await.unwrap();
    let mut listed = Vec::new();
    while let Some(conflict) = conflicts.next().await.unwrap() {
        let side = |object: Option<Object>| object.map_or("-".to_owned(), |object| object.entry.checksum);
        listed.push(format!(
            "{} {} {} {}",
            conflict.path,
            side(conflict.base),
            side(conflict.source),
            side(conflict.destination)
        ));
    }
    assert_eq!(listed, ["a 0 side main", "b 0 - main", "c 0 side -", "s - 1 2"]);

    lake.branch("keep", "main").await;
    lake.try_merge("side", "keep", Strategy::DestWins).await.unwrap();
    assert_eq!(lake.content("keep").await, content([("a", "main"), ("b", "main"), ("m", "1"), ("s", "2")]));
    lake.try_merge("side", "main", Strategy::SourceWins).await.unwrap();
    assert_eq!(lake.content("main").await, content([("a", "side"), ("c", "side"), ("m", "1"), ("s", "1")]));
}

#[tokio::test]
async fn the_same_change_on_both_sides_is_no_conflict() {
    let lake = parted().await;
    lake.put("main", "a", "side").await;
    lake.delete("main", "b").await;
    lake.commit("main").await;
    lake.merge("side", "main").await;
    assert_eq!(lake.content("main").await, content([("a", "side"), ("c", "0"), ("m", "1"), ("s", "1")]));
}

#[tokio::test]
async fn a_dirty_branch_is_not_merged_into() {
    let lake = parted().await;
    lake.put("main", "x", "1").await;
    let error = lake.try_merge("side", "main", Strategy::Refuse).await.unwrap_err();
    assert_eq!(error.code(), Code::DirtyBranch);
    lake.seal("main").await;
    let error = lake.try_merge("side", "main", Strategy::Refuse).await.unwrap_err();
    assert_eq!(error.code(), Code::DirtyBranch);
    // What is uncommitted on the source stays there.
    lake.commit("main").await;
    lake.put("side", "unseen", "1").await;
    lake.merge("side", "main").await;
    assert_eq!(lake.get("main", "unseen").await, None);
}

#[tokio::test]
async fn a_branch_is_not_merged_into_itself_nor_into_nothing() {
    let lake = parted().await;
    for (source, destination, code) in [
        ("main", "main", Code::SameBranch),
        ("main@", "main", Code::SameBranch),
        ("side$", "main", Code::InvalidArgument),
        ("nothing", "main", Code::RefNotFound),
        ("side", "nothing", Code::BranchNotFound),
        ("main~1", "main", Code::NothingToMerge),
    ] {
        let error = lake.try_merge(source, destination, Strategy::Refuse).await.unwrap_err();
        assert_eq!(error.code(), code, "{source} into {destination}");
    }
}

#[tokio::test]
async fn a_squash_has_one_parent() {
    let lake = parted().await;
    let request = MergeRequest { squash: true, ..lake.merge_request("side", "main", Strategy::Refuse) };
    let main = lake.branch_head("main").await;
    lake.catalog.merge(&repo(), &request, &lake.mutation()).await.unwrap();
    let (_, commit) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    assert_eq!(commit.parents, [main]);
    assert_eq!(lake.content("main").await, content([("a", "side"), ("c", "0"), ("m", "1"), ("s", "1")]));
}

#[tokio::test]
async fn the_merge_base_is_the_best_one() {
    // F1 on C0; main and release each merge F1. Merging main into release must use F1.
    let lake = Lake::new().await;
    lake.put("main", "x", "0").await;
    lake.commit("main").await;
    lake.branch("release", "main").await;
    lake.branch("feature", "main").await;
    lake.put("feature", "x", "feature").await;
    let feature = lake.commit("feature").await;
    lake.merge("feature", "main").await;
    lake.merge("feature", "release").await;
    let (_, _, base) = lake.catalog.merge_base(&repo(), &expr("release"), &expr("main")).await.unwrap();
    assert_eq!(base, feature);
    // With C0 as the base both sides would have changed x to different things here.
    lake.put("main", "x", "main").await;
    lake.commit("main").await;
    lake.merge("main", "release").await;
    assert_eq!(lake.get("release", "x").await.as_deref(), Some("main"));
}

#[tokio::test]
async fn revert_undoes_and_cherry_pick_does_again() {
    let lake = parted().await;
    let side = lake.branch_head("side").await;
    lake.catalog.cherry_pick(&repo(), &lake.pick_request("main", "side"), &lake.mutation()).await.unwrap();
    assert_eq!(lake.content("main").await, content([("a", "side"), ("c", "0"), ("m", "1"), ("s", "1")]));
    let (_, commit) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    assert_eq!((commit.parents.len(), &commit.metadata["cherry-pick-origin"]), (1, &side.to_hex()));

    lake.catalog.revert(&repo(), &lake.pick_request("main", "main"), &lake.mutation()).await.unwrap();
    assert_eq!(lake.content("main").await, content([("a", "0"), ("b", "0"), ("c", "0"), ("m", "1")]));
    lake.put("main", "s", "other").await;
    lake.commit("main").await;
    let error = lake.catalog.cherry_pick(&repo(), &lake.pick_request("main", "side"), &lake.mutation()).await;
    assert_eq!(error.unwrap_err().code(), Code::MergeConflict);
    lake.put("main", "x", "1").await;
    let error = lake.catalog.revert(&repo(), &lake.pick_request("main", "main"), &lake.mutation()).await;
    assert_eq!(error.unwrap_err().code(), Code::DirtyBranch);
}

#[tokio::test]
async fn a_merge_commit_is_picked_against_the_parent_that_is_named() {
    let lake = parted().await;
    lake.merge("side", "main").await;
    let pick = |number| PickRequest { parent_number: number, ..lake.pick_request("main", "main") };
    let revert = async |number| lake.catalog.revert(&repo(), &pick(number), &lake.mutation()).await;
    assert_eq!(revert(0).await.unwrap_err().code(), Code::ParentRequired);
    assert_eq!(revert(3).await.unwrap_err().code(), Code::InvalidArgument);
    revert(1).await.unwrap();
    assert_eq!(lake.content("main").await, content([("a", "0"), ("b", "0"), ("c", "0"), ("m", "1")]));
}
