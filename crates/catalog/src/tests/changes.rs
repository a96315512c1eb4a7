//! The change logs: one row for each change, in the transaction that makes it.

use std::collections::BTreeMap;

use braid_kv::ScanOptions;
use braid_types::{ObjectPath, PathPrefix, StagingToken, TagName};

use super::lake::*;
use crate::catalog::load_branch;
use crate::record::path_change::{self, PathChange, PathState};
use crate::record::ref_change::{self, RefChange, RefEvent};
use crate::record::{BranchRecord, OpenLayer};
use crate::*;

impl Lake {
    pub(super) async fn record_of(&self, on: &str) -> BranchRecord {
        let snapshot = self.catalog.snapshot().await.unwrap();
        let repository = self.catalog.repository(&repo()).await.unwrap();
        load_branch(&snapshot, &repository, &branch(on)).await.unwrap()
    }

    /// The rows under a token in the order of stamps; asserts that no lane has gaps.
    pub(super) async fn changes(&self, token: &StagingToken) -> Vec<PathChange> {
        let snapshot = self.catalog.snapshot().await.unwrap();
        let rows = snapshot.scan(&path_change::range(token), ScanOptions::first(100_000)).await.unwrap();
        let mut next: BTreeMap<u16, u64> = BTreeMap::new();
        let mut changes = Vec::new();
        for (key, value) in rows {
            let (lane, number) = path_change::parse_key(token, &key).unwrap();
            let expected = next.entry(lane).or_default();
            assert_eq!(number, *expected, "a gap in lane {lane}");
            *expected += 1;
            changes.push(PathChange::decode(&value).unwrap());
        }
        changes.sort_by_key(|change| change.stamp);
        changes
    }

    pub(super) async fn open_changes(&self, on: &str) -> Vec<PathChange> {
        let OpenLayer { token, .. } = self.record_of(on).await.open;
        self.changes(&token).await
    }

    /// What happened to the refs, in order: event, name, and whether there was a commit before and after.
    pub(super) async fn ref_changes(&self) -> Vec<RefChange> {
        let snapshot = self.catalog.snapshot().await.unwrap();
        let repository = self.catalog.repository(&repo()).await.unwrap();
        let range = ref_change::range(&repository.id);
        let rows = snapshot.scan(&range, ScanOptions::first(1000)).await.unwrap();
        rows.iter().map(|(_, value)| RefChange::decode(value).unwrap()).collect()
    }
}

/// A change as `path: old -> new`.
pub(super) fn told(change: &PathChange) -> String {
    let state = |state: &PathState| match state {
        PathState::Put(value) => value.entry().unwrap().checksum,
        PathState::Deleted => "deleted".to_owned(),
        PathState::Committed { tree: None, .. } => "nothing".to_owned(),
        PathState::Committed { at: None, .. } => "committed".to_owned(),
        PathState::Committed { at: Some(at), .. } => format!("committed at {}", at.escape_ascii()),
    };
    let path = std::str::from_utf8(&change.path).unwrap();
    format!("{path}: {} -> {}", state(&change.old), state(&change.new))
}

async fn all_told(lake: &Lake, on: &str) -> Vec<String> {
    lake.open_changes(on).await.iter().map(told).collect()
}

#[tokio::test]
async fn every_put_and_delete_leaves_a_row_that_says_what_was_there() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.put("main", "a", "2").await;
    let by = lake.mutation();
    let operations = [delete("a"), put("a", "3"), delete("absent")];
    lake.catalog.stage(&repo(), &branch("main"), &operations, &by).await.unwrap();
    let expected = ["a: nothing -> 1", "a: 1 -> 2", "a: 2 -> deleted", "a: deleted -> 3"];
    assert_eq!(all_told(&lake, "main").await, expected, "and nothing for what was not there");
    let changes = lake.open_changes("main").await;
    assert_eq!((&changes[3].by, changes[3].time), (&by, lake.catalog.now()));

    // A refused or a repeated request leaves none.
    lake.stage("main", &[put("b", "1"), put_if_absent("a", "4")]).await.unwrap_err();
    lake.catalog.stage(&repo(), &branch("main"), &operations, &by).await.unwrap();
    assert_eq!(lake.open_changes("main").await.len(), 4);
}

#[tokio::test]
async fn what_was_sealed_is_told_as_it_was_and_what_was_committed_by_its_tree() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    let base = lake.record_of("main").await.base;
    lake.put("main", "b", "1").await;
    lake.seal("main").await;
    lake.put("main", "a", "2").await;
    lake.put("main", "b", "2").await;
    lake.delete("main", "b").await;
    assert_eq!(all_told(&lake, "main").await, ["a: committed -> 2", "b: 1 -> 2", "b: 2 -> deleted"]);
    let changes = lake.open_changes("main").await;
    assert!(base.is_some());
    assert_eq!(changes[0].old, PathState::Committed { tree: base, at: None });
    let sealed = lake.record_of("main").await.sealed[0].layer.token().unwrap();
    assert_eq!(lake.changes(&sealed).await.iter().map(told).collect::<Vec<_>>(), ["b: committed -> 1"]);
}

#[tokio::test]
async fn a_reset_of_paths_is_told_path_by_path() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.put("main", "a", "2").await;
    lake.put("main", "b", "2").await;
    let reset = async |scope: ResetScope| {
        lake.catalog.reset(&repo(), &branch("main"), &scope, &lake.mutation()).await.unwrap();
    };
    reset(ResetScope::Path(ObjectPath::new("a").unwrap())).await;
    lake.seal("main").await;
    reset(ResetScope::Prefix(PathPrefix::new("b").unwrap())).await;
    assert_eq!(all_told(&lake, "main").await, ["b: 2 -> deleted"]);
    let sealed = lake.record_of("main").await.sealed[0].layer.token().unwrap();
    let before = lake.changes(&sealed).await;
    assert_eq!(told(before.last().unwrap()), "a: 2 -> committed");
}

#[tokio::test]
async fn lanes_have_no_gaps_when_transactions_lose_races() {
    let lake = Lake::new().await;
    for round in 0..10 {
        let other = lake.restarted();
        let at = format!("{round}");
        let theirs = at.clone();
        lake.world.interrupt(move || async move {
            other.stage("main", &[put(&theirs, "theirs"), put("more", "1")]).await.unwrap();
        });
        lake.put("main", &at, "ours").await;
    }
    let changes = all_told(&lake, "main").await;
    assert_eq!(changes.len(), 30);
    assert!(changes.contains(&"7: theirs -> ours".to_owned()), "the loser saw what came first: {changes:?}");
}

#[tokio::test]
async fn replaying_the_log_gives_what_is_staged() {
    let lake = Lake::new().await;
    for number in 0..200u32 {
        let at = format!("{}", number * 7 % 13);
        match number % 3 {
            0 => lake.delete("main", &at).await,
            _ => lake.put("main", &at, &number.to_string()).await,
        }
    }
    let mut replayed = Content::new();
    for change in lake.open_changes("main").await {
        let path = String::from_utf8(change.path.to_vec()).unwrap();
        match change.new {
            PathState::Put(value) => replayed.insert(path, value.entry().unwrap().checksum),
            _ => replayed.remove(&path),
        };
    }
    assert_eq!(replayed, lake.content("main").await);
}

#[tokio::test]
async fn operations_on_refs_leave_a_row_each() {
    let lake = Lake::new().await;
    let first = lake.branch_head("main").await;
    lake.put("main", "a", "1").await;
    let second = lake.commit("main").await;
    lake.branch("side", "main~1").await;
    let tag = TagName::new("v1").unwrap();
    lake.catalog.create_tag(&repo(), &tag, &expr("main"), &lake.mutation()).await.unwrap();
    let merged = lake.merge("main", "side").await;
    lake.catalog.reset(&repo(), &branch("side"), &ResetScope::All, &lake.mutation()).await.unwrap();
    let by = lake.mutation();
    lake.catalog.delete_tag(&repo(), &tag, &by).await.unwrap();
    lake.catalog.delete_tag(&repo(), &tag, &by).await.unwrap();
    lake.catalog.delete_branch(&repo(), &branch("side"), &lake.mutation()).await.unwrap();
    let changes = lake.ref_changes().await;
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change.what.event, change.what.name.as_str(), change.what.old, change.what.new))
        .collect();
    let expected = [
        (RefEvent::RepositoryCreated, "lake", None, None),
        (RefEvent::BranchMoved, "main", Some(first), Some(second)),
        (RefEvent::BranchCreated, "side", None, Some(first)),
        (RefEvent::TagCreated, "v1", None, Some(second)),
        (RefEvent::BranchMoved, "side", Some(first), Some(merged)),
        (RefEvent::BranchReset, "side", Some(merged), Some(merged)),
        (RefEvent::TagDeleted, "v1", Some(second), None),
        (RefEvent::BranchDeleted, "side", Some(merged), None),
    ];
    assert_eq!(told, expected);
    assert_eq!(changes[6].by, by);
}
