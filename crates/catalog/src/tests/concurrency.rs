//! Two processes' worth of writers, committers, mergers and readers on one branch.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use braid_tree::Strategy;
use braid_types::{Code, Error};

use super::lake::*;

/// Errors that a busy branch may give to one that was not first.
fn is_expected(error: &Error) -> bool {
    use Code::{Busy, Conflict, DirtyBranch, NothingToCommit, NothingToMerge};
    matches!(error.code(), Busy | Conflict | DirtyBranch | NothingToCommit | NothingToMerge)
}

/// Each writer puts pairs of paths in one transaction; a reader must see both or neither.
async fn write_pairs(lake: Arc<Lake>, writer: usize, rounds: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for round in 0..rounds {
        let (left, right) = (format!("left/{writer}-{round}"), format!("right/{writer}-{round}"));
        match lake.stage("main", &[put(&left, "1"), put(&right, "1")]).await {
            Ok(_) => acknowledged.extend([left, right]),
            Err(error) => assert!(is_expected(&error), "{error}"),
        }
        tokio::task::yield_now().await;
    }
    acknowledged
}

/// Commits until the writers are done and some commit, of whichever process, went through.
async fn commit_until(lake: Arc<Lake>, done: Arc<AtomicBool>, commits: Arc<AtomicUsize>) {
    while !done.load(Ordering::SeqCst) || commits.load(Ordering::SeqCst) == 0 {
        match lake.try_commit("main").await {
            Ok(_) => _ = commits.fetch_add(1, Ordering::SeqCst),
            Err(error) => assert!(is_expected(&error), "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

async fn merge_rounds(lake: Arc<Lake>, rounds: usize) -> Vec<String> {
    let mut merged = Vec::new();
    for round in 0..rounds {
        let (side, at) = (format!("side{round}"), format!("merged/{round}"));
        lake.branch(&side, "main").await;
        lake.put(&side, &at, "1").await;
        lake.commit(&side).await;
        match lake.try_merge(&side, "main", Strategy::Refuse).await {
            Ok(_) => merged.push(at),
            Err(error) => assert!(is_expected(&error), "{error}"),
        }
    }
    merged
}

async fn read_until(lake: Arc<Lake>, done: Arc<AtomicBool>) {
    while !done.load(Ordering::Relaxed) {
        for at in ["main", "main@"] {
            let seen = lake.content(at).await;
            let half = |side: &str| -> BTreeSet<String> {
                seen.keys().filter_map(|path| path.strip_prefix(side)).map(str::to_owned).collect()
            };
            assert_eq!(half("left/"), half("right/"), "half a transaction was seen at {at}");
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost_and_nothing_is_seen_half() {
    let first = Arc::new(Lake::new().await);
    let second = Arc::new(first.restarted());
    let done = Arc::new(AtomicBool::new(false));
    let commits = Arc::new(AtomicUsize::new(0));
    let both = [&first, &second];
    let background: Vec<_> = both
        .iter()
        .map(|lake| {
            let committing =
                tokio::spawn(commit_until(Arc::clone(lake), Arc::clone(&done), Arc::clone(&commits)));
            (committing, tokio::spawn(read_until(Arc::clone(lake), Arc::clone(&done))))
        })
        .collect();
    let merging = tokio::spawn(merge_rounds(Arc::clone(&second), 10));
    let writers: Vec<_> =
        (0..6).map(|writer| tokio::spawn(write_pairs(Arc::clone(both[writer % 2]), writer, 15))).collect();

    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    acknowledged.extend(merging.await.unwrap());
    done.store(true, Ordering::SeqCst);
    for (committing, reading) in background {
        committing.await.unwrap();
        reading.await.unwrap();
    }

    let seen = first.content("main").await;
    assert!(acknowledged.len() >= 100, "only {} writes were acknowledged", acknowledged.len());
    for path in &acknowledged {
        assert!(seen.contains_key(path), "'{path}' was acknowledged and lost");
    }
    match first.try_commit("main").await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.code(), Code::NothingToCommit),
    }
    assert_eq!(first.content("main@").await, seen);
}
