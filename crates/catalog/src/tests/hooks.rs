//! Hooks: asked once before a commit, told once after it, whatever its publish goes through.

use std::sync::Arc;

use async_trait::async_trait;
use braid_tree::Strategy;
use braid_types::{Code, CommitId};
use parking_lot::Mutex;

use super::lake::*;
use crate::*;

/// A hook that remembers what it was asked and told, and refuses what it is to refuse.
#[derive(Default)]
struct Recorder {
    calls: Mutex<Vec<String>>,
    refused_message: Mutex<String>,
}

impl Recorder {
    fn asked(&self, event: &HookEvent<'_>) -> Result<(), String> {
        let source = event.source.map(|source| format!(" of {source}")).unwrap_or_default();
        let asked = format!("? {}{source} to {}/{}", event.change.name(), event.repository, event.branch);
        self.calls.lock().push(asked);
        let refused = self.refused_message.lock();
        if !refused.is_empty() && event.message == *refused { Err("not now".to_owned()) } else { Ok(()) }
    }

    fn told(&self, event: &HookEvent<'_>, commit: CommitId) {
        self.calls.lock().push(format!("! {} {}", event.change.name(), commit.to_hex()));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock())
    }
}

#[async_trait]
impl Hook for Recorder {
    fn name(&self) -> &str {
        "recorder"
    }

    async fn before_commit(&self, event: &HookEvent<'_>) -> Result<(), String> {
        assert_ne!(event.change, HookedChange::Merge);
        self.asked(event)
    }

    async fn after_commit(&self, event: &HookEvent<'_>, commit: CommitId) {
        self.told(event, commit);
    }

    async fn before_merge(&self, event: &HookEvent<'_>) -> Result<(), String> {
        assert_eq!(event.change, HookedChange::Merge);
        self.asked(event)
    }

    async fn after_merge(&self, event: &HookEvent<'_>, commit: CommitId) {
        self.told(event, commit);
    }
}

impl Lake {
    async fn with_recorder() -> (Self, Arc<Recorder>) {
        let (mut lake, recorder) = (Self::new().await, Arc::new(Recorder::default()));
        lake.catalog = lake.catalog.with_hooks(vec![recorder.clone()]);
        (lake, recorder)
    }
}

fn told(change: &str, commit: CommitId) -> String {
    format!("! {change} {}", commit.to_hex())
}

#[tokio::test]
async fn a_change_whose_publish_loses_its_race_is_asked_about_and_told_of_once() {
    let (lake, recorder) = Lake::with_recorder().await;
    let sides = lake.sides(2).await;
    recorder.take();
    let (other, theirs) = (lake.restarted(), sides[1].clone());
    // Planned, and about to be published.
    lake.world.interrupt_begin(move || async move {
        other.merge(&theirs, "main").await;
    });
    let made = lake.merge("s0", "main").await;
    assert_eq!(lake.first_parents().await.len(), 3, "theirs came first, and ours was planned again");
    assert_eq!(recorder.take(), ["? merge of s0 to lake/main".to_owned(), told("merge", made)]);

    lake.put("main", "a", "1").await;
    lake.seal("main").await;
    let other = lake.restarted();
    lake.world.interrupt(move || async move {
        other.commit("main").await;
    });
    let commit = CommitRequest { allow_empty: true, ..lake.commit_request("main", "m") };
    let made = lake.catalog.commit(&repo(), &commit, &lake.mutation()).await.unwrap();
    assert_eq!(lake.first_parents().await.len(), 5);
    assert_eq!(recorder.take(), ["? commit to lake/main".to_owned(), told("commit", made)]);
}

#[tokio::test]
async fn a_change_whose_reply_was_lost_is_told_of_once_and_a_repeated_request_not_at_all() {
    let (lake, recorder) = Lake::with_recorder().await;
    lake.sides(1).await;
    recorder.take();
    lake.world.lose_replies(1);
    let (request, by) = (lake.merge_request("s0", "main", Strategy::Refuse), lake.mutation());
    let made = lake.catalog.merge(&repo(), &request, &by).await.unwrap();
    let once = ["? merge of s0 to lake/main".to_owned(), told("merge", made)];
    assert_eq!(recorder.take(), once);
    assert_eq!(lake.catalog.merge(&repo(), &request, &by).await.unwrap(), made);
    assert!(recorder.take().is_empty());

    // What comes to nothing is asked about, and not told of.
    let empty = lake.try_commit("main").await.unwrap_err();
    assert_eq!(empty.code(), Code::NothingToCommit);
    assert_eq!(recorder.take(), ["? commit to lake/main"]);
}

#[tokio::test]
async fn a_refusal_names_the_hook_and_leaves_the_others_of_its_chain_alone() {
    let (lake, recorder) = Lake::with_recorder().await;
    let sides = lake.sides(3).await;
    *recorder.refused_message.lock() = "no".to_owned();
    let merges = sides.iter().map(|side| {
        let message = if side == "s1" { "no" } else { "yes" };
        let request =
            MergeRequest { message: message.into(), ..lake.merge_request(side, "main", Strategy::Refuse) };
        let (catalog, by) = (lake.catalog.clone(), lake.mutation());
        async move { catalog.merge(&repo(), &request, &by).await }
    });
    let merged = tokio::task::unconstrained(futures::future::join_all(merges)).await;
    let refused = merged[1].as_ref().unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::PreconditionFailed, "recorder"));
    let expected = "hook 'recorder' refuses the merge to branch 'main' of 'lake': not now";
    assert_eq!(refused.message(), expected);
    assert!(merged[0].is_ok() && merged[2].is_ok());
    assert_eq!(lake.content("main").await, content([("s0", "1"), ("s2", "1")]));

    // A refused commit leaves what is staged where it is.
    lake.put("main", "a", "1").await;
    let commit = lake.commit_request("main", "no");
    let refused = lake.catalog.commit(&repo(), &commit, &lake.mutation()).await.unwrap_err();
    assert_eq!(refused.subject(), "recorder");
    assert_eq!(lake.uncommitted("main").await, ["+a"]);
    assert!(lake.record_of("main").await.sealed.is_empty(), "it was asked first");
}

#[tokio::test]
async fn every_kind_of_change_says_what_it_is() {
    let (lake, recorder) = Lake::with_recorder().await;
    lake.put("main", "a", "1").await;
    let commit = lake.commit("main").await;
    lake.branch("side", &format!("{}~1", commit.to_hex())).await;
    let picked =
        lake.catalog.cherry_pick(&repo(), &lake.pick_request("side", "main"), &lake.mutation()).await;
    let reverted = lake.catalog.revert(&repo(), &lake.pick_request("main", "main"), &lake.mutation()).await;
    lake.catalog.hard_reset(&repo(), &branch("main"), &expr("side"), &lake.mutation()).await.unwrap();
    let expected = [
        "? commit to lake/main".to_owned(),
        told("commit", commit),
        "? cherry-pick of main to lake/side".to_owned(),
        told("cherry-pick", picked.unwrap()),
        "? revert of main to lake/main".to_owned(),
        told("revert", reverted.unwrap()),
    ];
    assert_eq!(recorder.take(), expected);
}

#[tokio::test]
async fn the_members_of_a_commit_set_are_asked_about_and_told_of_once() {
    let (lake, recorder) = Lake::with_recorder().await;
    lake.sides(3).await;
    lake.branch("dev", "main").await;
    recorder.take();
    let merge = |source: &str, to: &str, message: &str| {
        let request = lake.merge_request(source, to, Strategy::Refuse);
        let action = SetAction::Merge(MergeRequest { message: message.into(), ..request });
        SetMember { repository: repo(), action }
    };
    *recorder.refused_message.lock() = "no".to_owned();
    let members = [merge("s0", "main", "yes"), merge("s1", "dev", "no")];
    let refused = lake.catalog.commit_set(&members, &lake.mutation()).await.unwrap_err();
    assert!(refused.message().starts_with("member 2 (merge of 's1' into 'lake/dev'): "), "{refused}");
    assert_eq!((refused.subject(), lake.content("main").await.len()), ("recorder", 0));
    recorder.take();

    let other = lake.restarted();
    lake.world.interrupt_begin(move || async move {
        other.merge("s2", "main").await;
    });
    let commit = SetAction::Commit(CommitRequest { allow_empty: true, ..lake.commit_request("s0", "m") });
    let members = [merge("s0", "main", "yes"), merge("s1", "dev", "yes")];
    let made = lake.catalog.commit_set(&members, &lake.mutation()).await.unwrap();
    assert_eq!(lake.first_parents().await.len(), 3, "theirs came first, and the set was planned again");
    let asked = ["? merge of s0 to lake/main", "? merge of s1 to lake/dev"].map(str::to_owned);
    let expected = [asked.to_vec(), made.into_iter().map(|made| told("merge", made)).collect()].concat();
    assert_eq!(recorder.take(), expected);

    let members = [SetMember { repository: repo(), action: commit }];
    let made = lake.catalog.commit_set(&members, &lake.mutation()).await.unwrap();
    assert_eq!(recorder.take(), ["? commit to lake/s0".to_owned(), told("commit", made[0])]);
}
