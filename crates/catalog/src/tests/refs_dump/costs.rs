//! What dumps and restores of long histories cost: a few calls of the stores for each word of progress, whatever there is.

use std::sync::atomic::Ordering;

use super::*;

/// Commits, each with a tag: of two sizes.
const SIZES: [usize; 2] = [1000, 2500];
/// Records of one word of progress.
const WORD: u64 = 500;

/// What one word cost: reads of rows by key, scans, rows that these gave, rows written, transactions.
fn take(lake: &Lake) -> [u64; 5] {
    let counters = &lake.world.counters;
    let taken = [&counters.gets, &counters.scans, &counters.rows, &counters.mutations, &counters.commits];
    taken.map(|counter| counter.swap(0, Ordering::Relaxed))
}

fn assert_within(words: &[[u64; 5]], most: [u64; 5]) {
    for (at, word) in words.iter().enumerate() {
        assert!(word.iter().zip(most).all(|(taken, most)| *taken <= most), "word {at}: {word:?}");
    }
}

/// Commits are read once.
fn assert_nothing_is_kept(lake: &Lake) {
    let kept = lake.catalog.cached_commits();
    kept.run_pending_tasks();
    assert_eq!(kept.entry_count(), 0);
}

/// A lake with an empty repository, and a dump of so many commits and tags.
async fn with_dump(size: usize) -> (Lake, RefsManifest) {
    let lake = Lake::new().await;
    let mut commits = vec![first_commit()];
    for number in 1..size {
        commits.push(child(&commits[number - 1], &format!("commit {number}")));
    }
    let ids: Vec<CommitId> = commits.iter().map(Commit::id).collect();
    let names: Vec<String> = (0..size).map(|number| format!("t{number:04}")).collect();
    let tags: Vec<_> = names.iter().zip(&ids).map(|(name, id)| (name.as_str(), *id)).collect();
    let dump = crafted(&lake, &commits, &[("main", ids[size - 1])], &tags).await;
    (lake, dump)
}

#[tokio::test]
async fn a_word_of_a_restore_costs_the_same_however_long_the_history_is() {
    for size in SIZES {
        let (lake, dump) = with_dump(size).await;
        let mut restore = lake.catalog.restore(request(Some(dump)), &lake.mutation()).await.unwrap();
        let mut words = Vec::new();
        take(&lake);
        while let Some(RestoreEvent::Progress(_)) = restore.next().await.unwrap() {
            words.push(take(&lake));
        }
        let batches = size as u64 / WORD;
        // Commits, the branch, tags and parents, each with the one that finds that there are no more, and publishing.
        assert_eq!(words.len() as u64, 3 * batches + 6, "{words:?}");
        let (publishing, batched) = words.split_last().unwrap();
        assert_within(batched, [4, 1, WORD, WORD + 1, 1]);
        // The repository's fence has a row for each of its lanes, of which stores have different numbers.
        assert_within(std::slice::from_ref(publishing), [20, 10, 10, 100, 1]);
        assert_nothing_is_kept(&lake);
    }
}

#[tokio::test]
async fn a_word_of_a_dump_costs_the_same_however_long_the_history_is() {
    for size in SIZES {
        let (lake, dump) = with_dump(size).await;
        restored(&lake, request(Some(dump))).await.unwrap();
        let mut dump = lake.catalog.dump(&repo()).await.unwrap();
        let mut words = Vec::new();
        take(&lake);
        while dump.next().await.unwrap().is_some() {
            words.push(take(&lake));
        }
        // Tags end with the dump; beside the branch its open layer is looked at.
        assert_eq!(words.len() as u64, 2 * (size as u64 / WORD) + 3, "{words:?}");
        assert_within(&words, [1, 2, WORD, 0, 0]);
        assert_nothing_is_kept(&lake);
    }
}
