//! The queue of a branch: chains of commits and merges, each answered for itself.

use std::sync::atomic::Ordering;

use braid_tree::Strategy;
use braid_types::{Code, CommitId, Error, RequestId};
use futures::FutureExt;
use futures::future::join_all;
use tokio::sync::oneshot;

use super::lake::*;
use crate::*;

impl Lake {
    /// Branches `s0`, `s1`… at `main`, each with a commit of its own that adds a path of its name.
    pub(super) async fn sides(&self, count: usize) -> Vec<String> {
        let names: Vec<_> = (0..count).map(|number| format!("s{number}")).collect();
        for name in &names {
            self.branch(name, "main").await;
            self.put(name, name, "1").await;
            self.commit(name).await;
        }
        names
    }

    /// Merges all of them into `main` at once.
    pub(super) async fn merge_at_once(&self, sources: &[String]) -> Vec<Result<CommitId, Error>> {
        let merge = |source: &String| {
            let (request, by) = (self.merge_request(source, "main", Strategy::Refuse), self.mutation());
            async move { self.catalog.merge(&repo(), &request, &by).await }
        };
        // All of them line up before anything else runs.
        tokio::task::unconstrained(join_all(sources.iter().map(merge))).await
    }

    /// The commits from `main` back to its first one, by first parents.
    pub(super) async fn first_parents(&self) -> Vec<CommitId> {
        let log = LogRequest {
            start: expr("main"),
            first_parent: true,
            since: None,
            stop_at: None,
            after: None,
            paths: Vec::new(),
            prefixes: Vec::new(),
        };
        let mut history = self.catalog.log(&repo(), log).await.unwrap();
        let mut commits = Vec::new();
        while let Some((id, _)) = history.next().await.unwrap() {
            commits.push(id);
        }
        commits
    }
}

#[tokio::test]
async fn every_merge_of_a_chain_is_its_own_commit_on_top_of_the_one_before() {
    let lake = Lake::new().await;
    lake.put("main", "base", "0").await;
    lake.commit("main").await;
    let sides = lake.sides(9).await;
    let merged = lake.merge_at_once(&sides).await;
    let merged: Vec<CommitId> = merged.into_iter().map(Result::unwrap).collect();
    let mut line = lake.first_parents().await;
    line.reverse();
    assert_eq!(line[2..], merged, "in the order in which they came");
    for (number, id) in merged.iter().enumerate() {
        let (_, commit) = lake.catalog.commit_at(&repo(), &expr(&id.to_hex())).await.unwrap();
        assert_eq!(commit.parents, [line[number + 1], lake.branch_head(&sides[number]).await]);
        assert_eq!(commit.message, format!("Merge '{}' into 'main'", sides[number]));
        let (before, after) = (commit.parents[0].to_hex(), id.to_hex());
        assert_eq!(lake.diff(&before, &after, DiffMode::TwoDot).await, [format!("+s{number}")]);
    }
    assert_eq!(lake.content("main").await.len(), 10);
}

#[tokio::test]
async fn one_that_cannot_be_merged_is_answered_for_itself_and_leaves_the_chain() {
    let lake = Lake::new().await;
    let mut sides = lake.sides(3).await;
    lake.branch("clash", "main").await;
    lake.put("clash", "s0", "other").await;
    lake.commit("clash").await;
    lake.branch("empty", "main").await;
    sides.insert(1, "clash".to_owned());
    sides.insert(2, "empty".to_owned());
    sides.insert(3, "absent".to_owned());
    sides.push("s1".to_owned());
    let merged = lake.merge_at_once(&sides).await;
    let codes: Vec<_> = merged.iter().map(|merged| merged.as_ref().err().map(Error::code)).collect();
    use Code::{MergeConflict, NothingToMerge, RefNotFound};
    let expected = [
        None,
        Some(MergeConflict),
        Some(NothingToMerge),
        Some(RefNotFound),
        None,
        None,
        Some(NothingToMerge),
    ];
    assert_eq!(codes, expected);
    assert_eq!(lake.content("main").await, content([("s0", "1"), ("s1", "1"), ("s2", "1")]));
}

#[tokio::test]
async fn commits_merges_picks_and_resets_are_done_in_the_order_they_come() {
    let lake = Lake::new().await;
    lake.sides(2).await;
    let first = lake.branch_head("main").await;
    lake.put("main", "own", "1").await;
    let (repo, main) = (repo(), branch("main"));
    let by: Vec<_> = (0..6).map(|_| lake.mutation()).collect();
    let commit = lake.commit_request("main", "own");
    let merge = lake.merge_request("s0", "main", Strategy::Refuse);
    let revert = lake.pick_request("main", "main~1");
    let pick = lake.pick_request("main", "s1");
    let again = CommitRequest { allow_empty: true, ..commit.clone() };
    let to = expr("main~2");
    let done = tokio::task::unconstrained(async {
        tokio::join!(
            lake.catalog.commit(&repo, &commit, &by[0]),
            lake.catalog.merge(&repo, &merge, &by[1]),
            lake.catalog.revert(&repo, &revert, &by[2]),
            lake.catalog.cherry_pick(&repo, &pick, &by[3]),
            lake.catalog.hard_reset(&repo, &main, &to, &by[4]),
            lake.catalog.commit(&repo, &again, &by[5]),
        )
    })
    .await;
    let (own, merged, reverted) = (done.0.unwrap(), done.1.unwrap(), done.2.unwrap());
    let parent = async |id: &CommitId| {
        let (_, commit) = lake.catalog.commit_at(&repo, &expr(&id.to_hex())).await.unwrap();
        commit.parents[0]
    };
    assert_eq!((parent(&own).await, parent(&merged).await, parent(&reverted).await), (first, own, merged));
    assert_eq!(parent(&done.3.unwrap()).await, reverted);
    assert_eq!(done.4.unwrap(), merged, "two commits before the cherry-pick's");
    assert_eq!(parent(&done.5.unwrap()).await, merged);
    // What was reverted is `main~1` of when its turn came: the commit before the merge.
    assert_eq!(lake.content(&reverted.to_hex()).await, content([("s0", "1")]));
    assert_eq!(lake.content("main").await, content([("own", "1"), ("s0", "1")]));
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_queue() {
    let lake = Lake::new().await;
    let sides = lake.sides(2).await;
    let at = BranchAddress { repository: repo(), branch: branch("main") };
    let turns = lake.catalog.turns([&at]).await.unwrap();
    let (repo, by) = (repo(), lake.mutation());
    let request = lake.merge_request(&sides[0], "main", Strategy::Refuse);
    let mut gone = Box::pin(lake.catalog.merge(&repo, &request, &by));
    assert!(gone.as_mut().now_or_never().is_none(), "it waits for the turn to end");
    drop(gone);
    drop(turns);
    lake.merge(&sides[1], "main").await;
    assert_eq!(lake.content("main").await, content([("s1", "1")]));
}

#[tokio::test]
async fn a_publish_that_is_under_way_runs_on_when_its_caller_goes_away() {
    let lake = Lake::new().await;
    lake.sides(1).await;
    let (reached, at) = oneshot::channel();
    let (go_on, goes_on) = oneshot::channel::<()>();
    lake.world.interrupt(move || async move {
        reached.send(()).unwrap();
        goes_on.await.unwrap();
    });
    let (catalog, by) = (lake.catalog.clone(), lake.mutation());
    let request = lake.merge_request("s0", "main", Strategy::Refuse);
    let caller = tokio::spawn(async move { catalog.merge(&repo(), &request, &by).await });
    at.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    go_on.send(()).unwrap();
    // Whoever comes next waits for it.
    let next = lake.try_merge("s0", "main", Strategy::Refuse).await.unwrap_err();
    assert_eq!(next.code(), Code::NothingToMerge);
    assert_eq!(lake.content("main").await, content([("s0", "1")]));
}

#[tokio::test]
async fn a_queue_is_bounded_and_who_comes_too_late_may_try_again() {
    let lake = Lake::new().await;
    let at = BranchAddress { repository: repo(), branch: branch("main") };
    let turns = lake.catalog.turns([&at]).await.unwrap();
    let to = expr("main");
    let (repo, main) = (repo(), branch("main"));
    let by: Vec<_> = (0..1024).map(|_| lake.mutation()).collect();
    let mut waiting: Vec<_> =
        by.iter().map(|by| Box::pin(lake.catalog.hard_reset(&repo, &main, &to, by))).collect();
    for waiter in &mut waiting {
        assert!(waiter.as_mut().now_or_never().is_none());
    }
    let refused = lake.catalog.hard_reset(&repo, &main, &to, &lake.mutation()).await.unwrap_err();
    assert_eq!((refused.code(), refused.is_retryable()), (Code::Busy, true));
    waiting.pop();
    let by = lake.mutation();
    let mut last = Box::pin(lake.catalog.hard_reset(&repo, &main, &to, &by));
    assert!(last.as_mut().now_or_never().is_none(), "there is room again");
    drop(turns);
    last.await.unwrap();
    join_all(waiting).await.into_iter().for_each(|done| assert!(done.is_ok()));
}

#[tokio::test]
async fn one_request_sent_twice_at_once_is_merged_once() {
    let lake = Lake::new().await;
    lake.sides(1).await;
    let (repo, request, by) = (repo(), lake.merge_request("s0", "main", Strategy::Refuse), lake.mutation());
    let other = Mutation { principal: by.principal.clone(), request: by.request.clone() };
    let different = lake.merge_request("s0", "main", Strategy::SourceWins);
    let (one, two, three) = tokio::task::unconstrained(async {
        tokio::join!(
            lake.catalog.merge(&repo, &request, &by),
            lake.catalog.merge(&repo, &request, &other),
            lake.catalog.merge(&repo, &different, &other),
        )
    })
    .await;
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(three.unwrap_err().code(), Code::RequestIdReused);
    assert_eq!(lake.first_parents().await.len(), 2);
}

#[tokio::test]
async fn a_chain_that_lost_a_race_is_planned_again_and_uploads_nothing_twice() {
    let lake = Lake::new().await;
    lake.put("main", "z", "0").await;
    lake.commit("main").await;
    let sides = lake.sides(3).await;
    let other = lake.restarted();
    let puts = || lake.world.counters.puts.swap(0, Ordering::Relaxed);
    puts();
    // A commit of the other process that changes nothing comes first.
    lake.world.interrupt_begin(move || async move {
        let request = CommitRequest { allow_empty: true, ..other.commit_request("main", "first") };
        other.catalog.commit(&repo(), &request, &other.mutation()).await.unwrap();
    });
    let merged = lake.merge_at_once(&sides).await;
    assert!(merged.iter().all(Result::is_ok));
    assert_eq!(
        puts(),
        2 * 2,
        "a range and a metarange for each merge but the first, whose tree is its source's"
    );
    let (_, oldest) =
        lake.catalog.commit_at(&repo(), &expr(&merged[0].as_ref().unwrap().to_hex())).await.unwrap();
    let (_, first) = lake.catalog.commit_at(&repo(), &expr(&oldest.parents[0].to_hex())).await.unwrap();
    assert_eq!(first.message, "first");
    assert_eq!(lake.content("main").await.len(), 4);
}

#[tokio::test]
async fn a_commit_that_only_met_a_seal_publishes_again_and_folds_nothing_again() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.seal("main").await;
    lake.put("main", "b", "1").await;
    lake.seal("main").await;
    let other = lake.restarted();
    let reads = || lake.world.counters.scans.swap(0, Ordering::Relaxed);
    lake.world.interrupt(move || async move {
        other.put("main", "c", "1").await;
        other.seal("main").await;
    });
    reads();
    lake.commit("main").await;
    let with_race = reads();
    assert_eq!(lake.content("main@").await, content([("a", "1"), ("b", "1")]));
    assert_eq!(lake.uncommitted("main").await, ["+c"]);
    reads();
    lake.commit("main").await;
    assert!(with_race <= reads() + 4, "{with_race} scans");
}

#[tokio::test]
async fn a_lost_reply_is_resolved_by_the_request_and_not_by_merging_again() {
    let lake = Lake::new().await;
    let sides = lake.sides(3).await;
    // The chain's transaction is carried out, but its reply is lost; what follows works again.
    lake.world.lose_replies(1);
    let merged = lake.merge_at_once(&sides).await;
    let merged: Vec<_> = merged.into_iter().map(Result::unwrap).collect();
    assert_eq!(lake.first_parents().await.len(), 4, "each is there once");
    assert_eq!(lake.branch_head("main").await, merged[2]);
}

#[tokio::test]
async fn a_delayed_commit_that_lands_after_its_request_was_found_without_a_result_does_it_once() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.seal("main").await;
    // The fate of the publishing transaction is not known, and it has not been carried out. It is at the worst moment: the next
    // try has found no result, and is about to commit.
    lake.world.delay_next_commit();
    let (request, by) = (lake.commit_request("main", "m"), lake.mutation());
    let id = lake.catalog.commit(&repo(), &request, &by).await.unwrap();
    assert!(!lake.world.has_delayed_commit(), "it has landed, or been refused");
    assert_eq!(lake.first_parents().await.len(), 2, "committed once");
    assert_eq!(lake.branch_head("main").await, id);
    assert_eq!(lake.catalog.commit(&repo(), &request, &by).await.unwrap(), id);
    let by = Mutation { request: RequestId::new("another").unwrap(), ..by };
    let again = lake.catalog.commit(&repo(), &request, &by).await.unwrap_err();
    assert_eq!(again.code(), Code::NothingToCommit);
}

#[tokio::test]
async fn a_hard_reset_moves_a_clean_branch_and_no_other() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    let first = lake.commit("main").await;
    lake.put("main", "a", "2").await;
    let second = lake.commit("main").await;
    let (repo, main) = (repo(), branch("main"));
    let reset = async |to: &str, by: &Mutation| lake.catalog.hard_reset(&repo, &main, &expr(to), by).await;
    let by = lake.mutation();
    assert_eq!(reset("main~1", &by).await.unwrap(), first);
    assert_eq!(lake.content("main").await, content([("a", "1")]));
    assert_eq!(reset("main~1", &by).await.unwrap(), first, "a retry does it once");
    assert_eq!(reset(&second.to_hex(), &lake.mutation()).await.unwrap(), second);
    assert_eq!(lake.content("main").await, content([("a", "2")]));
    assert_eq!(reset("main$", &lake.mutation()).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(reset("nothing", &lake.mutation()).await.unwrap_err().code(), Code::RefNotFound);
    lake.put("main", "b", "1").await;
    assert_eq!(reset("main~1", &lake.mutation()).await.unwrap_err().code(), Code::DirtyBranch);
    lake.seal("main").await;
    assert_eq!(reset("main~1", &lake.mutation()).await.unwrap_err().code(), Code::DirtyBranch);
    assert_eq!(lake.branch_head("main").await, second);
}

#[tokio::test]
async fn a_hard_reset_whose_reply_was_lost_is_not_done_again_over_what_came_after_it() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    let newest = lake.commit("main").await;
    let (other, world) = (lake.restarted(), lake.world.clone());
    let back = async move {
        let (to, by) = (expr(&newest.to_hex()), other.mutation());
        other.catalog.hard_reset(&repo(), &branch("main"), &to, &by).await.unwrap();
    };
    // The reset is carried out, its reply is lost, and before the next try another process moves the branch back.
    lake.world.lose_replies(1);
    lake.world.interrupt(move || async move { world.interrupt_begin(move || back) });
    let (to, by) = (expr("main~1"), lake.mutation());
    let first = lake.catalog.hard_reset(&repo(), &branch("main"), &to, &by).await.unwrap();
    assert_ne!(first, newest);
    assert_eq!(lake.branch_head("main").await, newest, "the branch is where it was moved last");
}
