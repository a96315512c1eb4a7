//! Structural layers as a branch keeps them: what they are told as, when they are refused, how they are folded.

use braid_types::Code;

use super::lake::*;
use crate::record::ref_change::RefEvent;
use crate::*;

/// `main` with a committed directory `a/` of 5, where that is not small.
async fn layered() -> Lake {
    let lake = Lake::with_layers().await;
    lake.fill("main", "a/", 5).await;
    lake.commit("main").await;
    lake
}

async fn layers(lake: &Lake) -> Vec<Layer> {
    lake.record_of("main").await.sealed.into_iter().map(|sealed| sealed.layer).collect()
}

#[tokio::test]
async fn each_structural_change_is_one_layer_and_one_row_of_the_log() {
    let lake = layered().await;
    lake.put("main", "a/x", "1").await;
    lake.rename("main", "a/", "b/").await;
    lake.erase("main", "b/0").await;
    lake.reset("main", ResetScope::Prefix(prefix("a/"))).await;
    let tree = lake.record_of("main").await.base.unwrap();
    let expected = [
        Layer::Moved { from: prefix("a/"), to: prefix("b/") },
        Layer::Erased(prefix("b/0")),
        Layer::Grafted { prefix: prefix("a/"), tree },
    ];
    assert!(
        matches!(&layers(&lake).await[..], [Layer::Staged(_), structural @ ..] if structural == expected)
    );
    let told = lake.ref_changes().await;
    let told: Vec<_> =
        told.into_iter().filter(|change| change.what.event == RefEvent::BranchRestructured).collect();
    assert_eq!(told.iter().map(|change| change.what.layer.clone().unwrap()).collect::<Vec<_>>(), expected);
    assert!(told.iter().all(|change| change.what.name == "main" && change.by.principal == "tester"));
    let first = lake.commit("main").await;
    assert_eq!(lake.content("main@").await.len(), 5 + 1);
    assert_eq!(lake.branch_head("main").await, first);
}

/// Where a path was before a put is told by the tree and the name that it has there.
#[tokio::test]
async fn what_a_put_replaces_is_told_by_where_it_lies_below_the_layers() {
    let lake = layered().await;
    lake.rename("main", "a/", "b/").await;
    lake.stage("main", &[put("b/00", "2"), put("a/00", "2"), put("c", "2")]).await.unwrap();
    let told: Vec<String> = lake.open_changes("main").await.iter().map(super::changes::told).collect();
    assert_eq!(told, ["b/00: committed at a/00 -> 2", "a/00: deleted -> 2", "c: committed -> 2"]);
}

#[tokio::test]
async fn conditions_and_deletes_look_through_structural_layers() {
    let lake = layered().await;
    lake.rename("main", "a/", "b/").await;
    let refused = lake.stage("main", &[put_if_absent("b/00", "2")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PreconditionFailed);
    let applied = lake.stage("main", &[put_if_absent("a/00", "2"), delete("b/01"), delete("a/01")]).await;
    assert_eq!(applied.unwrap(), [Applied::Put, Applied::Deleted, Applied::Missing]);
    let etag =
        |at: &str| StagedOperation::Delete { path: path(at), condition: Condition::IfEtag("1".into()) };
    lake.stage("main", &[etag("b/02")]).await.unwrap();
    let left = [("a/00", "2"), ("b/00", "1"), ("b/03", "1"), ("b/04", "1")];
    assert_eq!(lake.content("main").await, content(left));
}

#[tokio::test]
async fn a_merge_a_revert_and_a_cherry_pick_into_a_branch_with_any_layer_are_refused_as_dirty() {
    for change in 0..4 {
        let lake = layered().await;
        lake.branch("side", "main").await;
        lake.put("side", "new", "1").await;
        lake.commit("side").await;
        match change {
            0 => lake.rename("main", "a/", "b/").await,
            1 => assert!(lake.erase("main", "a/").await),
            2 => {
                lake.delete("main", "a/00").await;
                lake.reset("main", ResetScope::Prefix(prefix("a/"))).await;
            }
            _ => {
                lake.rename("main", "a/", "b/").await;
                assert!(lake.flatten("main").await);
            }
        }
        let merged = lake.try_merge("side", "main", Strategy::SourceWins).await.unwrap_err();
        assert_eq!(merged.code(), Code::DirtyBranch);
        let pick = PickRequest { parent_number: 1, ..lake.pick_request("main", "side") };
        let picked = lake.catalog.cherry_pick(&repo(), &pick, &lake.mutation()).await.unwrap_err();
        assert_eq!(picked.code(), Code::DirtyBranch);
        let reverted = lake.catalog.revert(&repo(), &pick, &lake.mutation()).await.unwrap_err();
        assert_eq!(reverted.code(), Code::DirtyBranch);
        lake.reset("main", ResetScope::All).await;
        lake.merge("side", "main").await;
        assert_eq!(lake.content("main").await.len(), 6);
    }
}

#[tokio::test]
async fn a_stack_has_64_layers_at_most_and_is_folded_without_a_commit() {
    let lake = layered().await;
    let names = ["a/", "b/"];
    for at in 0..64 {
        lake.rename("main", names[at % 2], names[(at + 1) % 2]).await;
    }
    let full = lake.try_move("main", "a/", "b/").await.unwrap_err();
    assert_eq!(full.code(), Code::Busy);
    assert!(full.is_retryable() && full.message().contains("64 layers"), "{full}");
    lake.put("main", "a/x", "1").await;
    let before = lake.content("main").await;
    let next = lake.catalog.next_to_flatten().await;
    assert!(lake.catalog.flatten_if_tall(&next.repository, &next.branch).await.unwrap());
    assert!(!lake.catalog.flatten_if_tall(&next.repository, &next.branch).await.unwrap(), "it is flat now");
    // What was moved there and back is as the head has it, so nothing is left of the layers.
    assert_eq!(layers(&lake).await, []);
    assert_eq!(lake.content("main").await, before);
    assert_eq!(lake.uncommitted("main").await, ["+a/x"]);
    lake.rename("main", "a/", "b/").await;
}

#[tokio::test]
async fn what_was_folded_is_uncommitted_still() {
    let lake = layered().await;
    lake.rename("main", "a/", "b/").await;
    lake.put("main", "c", "1").await;
    lake.seal("main").await;
    let (before, uncommitted) = (lake.content("main").await, lake.uncommitted("main").await);
    assert!(lake.flatten("main").await);
    assert!(!lake.flatten("main").await);
    assert!(matches!(&layers(&lake).await[..], [Layer::Grafted { prefix, .. }] if prefix.is_empty()));
    assert_eq!((lake.content("main").await, lake.uncommitted("main").await), (before.clone(), uncommitted));
    let diff = lake.diff("main@", "main$", DiffMode::TwoDot).await;
    assert_eq!(diff, lake.uncommitted("main").await);
    lake.reset("main", ResetScope::Path(path("c"))).await;
    lake.reset("main", ResetScope::Path(path("a/03"))).await;
    assert_eq!(lake.get("main", "c").await, None);
    assert_eq!(lake.get("main", "a/03").await.as_deref(), Some("1"));
    lake.put("main", "c", "1").await;
    lake.delete("main", "a/03").await;
    lake.commit("main").await;
    assert_eq!(lake.content("main@").await, before);
    assert_eq!(layers(&lake).await, []);
    lake.erase("main", "").await;
    assert!(lake.flatten("main").await || layers(&lake).await == [Layer::Erased(prefix(""))]);
    lake.commit("main").await;
    assert!(lake.content("main@").await.is_empty());
}

#[tokio::test]
async fn a_layer_with_very_many_entries_is_folded() {
    let lake = Lake::new().await;
    let catalog = Catalog::new(
        lake.catalog.parts.clone(),
        Settings { fold_entries: 200, ..(*lake.catalog.settings).clone() },
    );
    let lake = Lake { catalog, world: lake.world.clone() };
    lake.fill("main", "a/", 150).await;
    assert!(!lake.catalog.flatten_if_tall(&repo(), &branch("main")).await.unwrap());
    lake.fill("main", "b/", 60).await;
    let next = lake.catalog.next_to_flatten().await;
    assert!(lake.catalog.flatten_if_tall(&next.repository, &next.branch).await.unwrap());
    assert!(matches!(&layers(&lake).await[..], [Layer::Grafted { .. }]));
    assert_eq!(lake.content("main").await.len(), 210);
    // One that a move sealed is as heavy.
    lake.fill("main", "c/", 250).await;
    lake.rename("main", "c/", "d/").await;
    assert!(lake.catalog.flatten_if_tall(&repo(), &branch("main")).await.unwrap());
    assert!(matches!(&layers(&lake).await[..], [Layer::Grafted { .. }]));
    lake.world.clock.advance(Settings::default().destroy_delay);
    assert_eq!(lake.clean_up().await.tokens, 2);
    assert_eq!(lake.content("main").await.len(), 460);
    assert_eq!(lake.commit("main").await, lake.branch_head("main").await);
}

#[tokio::test]
async fn a_tree_is_grafted_at_a_directory() {
    let lake = layered().await;
    lake.branch("side", "main").await;
    lake.fill("side", "b/", 4).await;
    lake.put("side", "c", "1").await;
    lake.commit("side").await;
    let tree = lake.record_of("side").await.base.unwrap();
    lake.put("main", "b/old", "1").await;
    let main = branch("main");
    let by = lake.mutation();
    let no_directory = lake.catalog.graft(&repo(), &main, &prefix("b"), tree, &lake.mutation()).await;
    assert_eq!(no_directory.unwrap_err().code(), Code::InvalidPath);
    for _ in 0..2 {
        lake.catalog.graft(&repo(), &main, &prefix("b/"), tree, &by).await.unwrap();
        lake.put("main", "b/new", "1").await;
    }
    assert_eq!(lake.uncommitted("main").await, ["+b/00", "+b/01", "+b/02", "+b/03", "+b/new"]);
    lake.commit("main").await;
    assert_eq!(lake.get("main@", "c").await, None);
}
