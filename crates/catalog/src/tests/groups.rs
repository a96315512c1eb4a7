//! Group commit: concurrent requests on one branch share transactions, and nothing else.

use std::sync::atomic::Ordering;

use braid_types::{Code, Error};
use futures::future::join_all;

use super::changes::told;
use super::lake::*;
use crate::*;

impl Lake {
    /// Stages each of the jobs in a request of its own, all at once; the answers in their order.
    async fn stage_at_once(&self, jobs: &[Vec<StagedOperation>]) -> Vec<Result<Vec<Applied>, Error>> {
        let each = join_all(jobs.iter().map(|job| self.stage("main", job)));
        // All of them line up before anything else runs, however many they are.
        tokio::task::unconstrained(each).await
    }

    fn commits(&self) -> u64 {
        self.world.counters.commits.swap(0, Ordering::Relaxed)
    }
}

fn single_puts(count: usize) -> Vec<Vec<StagedOperation>> {
    (0..count).map(|number| vec![put(&format!("{number:04}"), "1")]).collect()
}

#[tokio::test]
async fn sixty_four_puts_at_once_take_a_few_transactions() {
    let lake = Lake::new().await;
    lake.commits();
    let counters = &lake.world.counters;
    counters.gets.store(0, Ordering::Relaxed);
    for answer in lake.stage_at_once(&single_puts(64)).await {
        assert_eq!(answer.unwrap(), [Applied::Put]);
    }
    let (commits, gets) = (lake.commits(), counters.gets.load(Ordering::Relaxed));
    assert!(commits <= 2, "{commits} transactions");
    assert!(gets <= commits * 6, "{gets} reads in {commits} transactions");
    assert_eq!(lake.content("main").await.len(), 64);
    assert_eq!(lake.open_changes("main").await.len(), 64);
}

#[tokio::test]
async fn a_group_is_bounded_and_large_jobs_go_through() {
    let lake = Lake::new().await;
    lake.commits();
    let mut jobs = single_puts(1_100);
    jobs.push((0..10_000).map(|number| put(&format!("large/{number}"), "1")).collect());
    assert!(lake.stage_at_once(&jobs).await.iter().all(Result::is_ok));
    let commits = lake.commits();
    assert!((4..=6).contains(&commits), "{commits} transactions");
    assert_eq!(lake.content("main").await.len(), 11_100);
}

#[tokio::test]
async fn each_request_has_an_answer_of_its_own() {
    let lake = Lake::new().await;
    lake.put("main", "there", "0").await;
    lake.commits();
    let jobs = [
        vec![put_if_absent("a", "1"), put("b", "1")],
        vec![put_if_absent("a", "2"), put("c", "2")],
        vec![put("d", "3"), put_if_absent("there", "3")],
        vec![delete("there")],
        vec![delete("there")],
        vec![put_if_absent("there", "6")],
        vec![delete("a"), put_if_absent("a", "7")],
    ];
    let answers = lake.stage_at_once(&jobs).await;
    assert_eq!(lake.commits(), 1, "all of them in one transaction");
    let subjects: Vec<_> = answers.iter().map(|answer| answer.as_ref().map_err(Error::subject)).collect();
    use Applied::{Deleted, Missing, Put};
    let expected = [
        Ok(&vec![Put, Put]),
        Err("a"),
        Err("there"),
        Ok(&vec![Deleted]),
        Ok(&vec![Missing]),
        Ok(&vec![Put]),
        Ok(&vec![Deleted, Put]),
    ];
    assert_eq!(subjects, expected);
    assert_eq!(lake.content("main").await, content([("a", "7"), ("b", "1"), ("there", "6")]));
    let changes: Vec<_> = lake.open_changes("main").await.iter().map(told).collect();
    let expected = [
        "there: nothing -> 0",
        "a: nothing -> 1",
        "b: nothing -> 1",
        "there: 0 -> deleted",
        "there: deleted -> 6",
        "a: 1 -> deleted",
        "a: deleted -> 7",
    ];
    assert_eq!(changes, expected, "refused ones left nothing");
}

#[tokio::test]
async fn one_request_sent_twice_at_once_is_done_once() {
    let lake = Lake::new().await;
    let (by, main, repo) = (lake.mutation(), branch("main"), repo());
    let operations = [put_if_absent("a", "1"), delete("none")];
    let send = || lake.catalog.stage(&repo, &main, &operations, &by);
    let answers = join_all([send(), send(), send()]).await;
    for answer in answers {
        assert_eq!(answer.unwrap(), [Applied::Put, Applied::Missing]);
    }
    assert_eq!(lake.open_changes("main").await.len(), 1);
}

#[tokio::test]
async fn a_request_that_cannot_be_decided_does_not_fail_the_others() {
    let lake = Lake::new().await;
    lake.put("main", "committed", "1").await;
    lake.commit("main").await;
    lake.world.ranges.lose_everything();
    let jobs = [vec![put("a", "1")], vec![put_if_absent("committed", "2")], vec![put("b", "1")]];
    let answers = lake.stage_at_once(&jobs).await;
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::Corrupt);
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(lake.open_changes("main").await.len(), 2);
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_nobody_along() {
    let lake = Lake::new().await;
    let (repo, main) = (repo(), branch("main"));
    let (first, gone) = ([put("a", "1")], [put("gone", "1")]);
    let by = [lake.mutation(), lake.mutation(), lake.mutation()];
    let mut leading = Box::pin(lake.catalog.stage(&repo, &main, &first, &by[0]));
    let mut waiting = Box::pin(lake.catalog.stage(&repo, &main, &gone, &by[1]));
    assert!(futures::poll!(&mut leading).is_pending());
    assert!(futures::poll!(&mut waiting).is_pending());
    drop((leading, waiting));
    // Whether or not the task had begun with them: nobody who comes later is kept waiting.
    lake.catalog.stage(&repo, &main, &[put("b", "1")], &by[2]).await.unwrap();
    assert_eq!(lake.get("main", "b").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn an_outcome_that_is_not_known_is_not_known_for_all_and_told_by_request_id() {
    // A group reads four times, begins, passes the fence and commits; which step is the commit is found by trying.
    let mut unknown = 0;
    for steps in 1..20 {
        let lake = Lake::new().await;
        lake.put("main", "there", "0").await;
        let (repo, main) = (repo(), branch("main"));
        let jobs = [vec![put_if_absent("a", "1")], vec![delete("there")], vec![put_if_absent("c", "1")]];
        let by: Vec<_> = jobs.iter().map(|_| lake.mutation()).collect();
        let send = |lake: &Lake| {
            let catalog = lake.catalog.clone();
            let (jobs, by, repo, main) = (jobs.clone(), by.clone(), repo.clone(), main.clone());
            async move {
                let each = jobs.iter().zip(&by).map(|(job, by)| catalog.stage(&repo, &main, job, by));
                join_all(each).await
            }
        };
        lake.world.fuse.set(steps);
        let answers = send(&lake).await;
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let done = next.content("main").await == content([("a", "1"), ("c", "1")]);
        assert!(done || next.content("main").await == content([("there", "0")]), "half after {steps} steps");
        for answer in &answers {
            assert!(answer.is_ok() == (done && !burnt), "after {steps} steps: {answer:?}");
            assert!(!done || answer.as_ref().err().is_none_or(Error::may_have_happened), "{answer:?}");
        }
        unknown += usize::from(done && burnt);
        let again: Vec<_> = send(&next).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(again, [vec![Applied::Put], vec![Applied::Deleted], vec![Applied::Put]]);
        assert_eq!(next.content("main").await, content([("a", "1"), ("c", "1")]));
        assert_eq!(next.open_changes("main").await.len(), 4, "nothing was done twice");
        if !burnt {
            break;
        }
    }
    assert_eq!(unknown, 1, "one of the steps is the commit");
}

#[tokio::test]
async fn a_group_that_loses_a_race_is_done_again_whole() {
    let lake = Lake::new().await;
    let other = lake.restarted();
    lake.world.interrupt(move || async move {
        other.stage("main", &[put("a", "theirs")]).await.unwrap();
        other.commit("main").await;
    });
    let jobs = [vec![put_if_absent("a", "ours")], vec![put("b", "1")], vec![put_if_absent("c", "1")]];
    let answers = lake.stage_at_once(&jobs).await;
    assert_eq!(answers[0].as_ref().unwrap_err().code(), Code::PreconditionFailed);
    assert!(answers[1].is_ok() && answers[2].is_ok());
    assert_eq!(lake.uncommitted("main").await, ["+b", "+c"]);
}

#[tokio::test]
async fn a_missing_branch_is_told_to_everybody_and_the_next_ones_go_on() {
    let lake = Lake::new().await;
    let late = || lake.stage("late", &[]);
    assert_eq!(late().await.unwrap_err().code(), Code::LimitExceeded);
    let (first, second) = ([put("a", "1")], [put("b", "1")]);
    let answers = join_all([lake.stage("late", &first), lake.stage("late", &second)]).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap_err().code() == Code::BranchNotFound));
    lake.branch("late", "main").await;
    lake.put("late", "a", "1").await;
}

#[tokio::test]
async fn changes_that_come_together_share_a_transaction_and_nothing_else() {
    let lake = Lake::new().await;
    lake.branch("dev", "main").await;
    let repository = std::sync::Arc::new(lake.catalog.repository(&repo()).await.unwrap());
    let change = |on: &str, operation| StagedChange {
        repository: std::sync::Arc::clone(&repository),
        branch: branch(on),
        operation,
        mutation: lake.mutation(),
    };
    let changes = vec![
        change("main", put("a", "1")),
        change("dev", put("d", "1")),
        change("main", put_if_absent("a", "2")),
        change("none", put("a", "1")),
        change("main", put("b", "1")),
    ];
    lake.commits();
    let ended = lake.catalog.stage_each(changes).await;
    assert_eq!(lake.commits(), 2, "one for each branch");
    let codes: Vec<_> = ended.iter().map(|ended| ended.as_ref().map(|_| ()).map_err(Error::code)).collect();
    assert_eq!(codes, [Ok(()), Ok(()), Err(Code::PreconditionFailed), Err(Code::BranchNotFound), Ok(())]);
    assert_eq!(lake.content("main").await, content([("a", "1"), ("b", "1")]));
    assert_eq!(lake.content("dev").await, content([("d", "1")]));
}
