//! The change log of a staging token outlives the token: it is moved out before what is under the token is destroyed.

use std::collections::BTreeMap;

use braid_kv::{KeyRange, ScanOptions};
use braid_types::{Code, RepositoryId, StagingToken};

use super::changes::told;
use super::lake::*;
use crate::lease::Task;
use crate::record::moved_change::{self, Owner};
use crate::record::path_change::PathChange;
use crate::record::staged;
use crate::*;

impl Lake {
    async fn rows_of(&self, range: &KeyRange) -> Vec<(bytes::Bytes, bytes::Bytes)> {
        let snapshot = self.world.kv.snapshot().await.unwrap();
        snapshot.scan(range, ScanOptions::first(100_000)).await.unwrap()
    }

    async fn repository_id(&self) -> RepositoryId {
        self.catalog.repository(&repo()).await.unwrap().id
    }

    /// The moved rows of a branch as they are found; asserts that they are in order, and that no lane of a token has gaps.
    async fn moved(&self, on: &str) -> Vec<PathChange> {
        let owner = Owner { repository: self.repository_id().await, branch: branch(on) };
        let (mut found, mut numbers) = (Vec::new(), BTreeMap::<_, Vec<u64>>::new());
        for (key, value) in self.rows_of(&owner.range()).await {
            let (stamp, origin) = owner.parse_key(&key).unwrap();
            let change = PathChange::decode(&value).unwrap();
            assert_eq!(stamp, change.stamp);
            numbers.entry((*origin.token.as_bytes(), origin.lane)).or_default().push(origin.number);
            found.push(change);
        }
        assert!(found.is_sorted_by_key(|change| change.stamp));
        for mut numbers in numbers.into_values() {
            numbers.sort_unstable();
            assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "a gap in {numbers:?}");
        }
        found
    }

    async fn token_of(&self, on: &str) -> StagingToken {
        self.record_of(on).await.open.token
    }

    async fn content_rows(&self, token: &StagingToken) -> usize {
        self.rows_of(&staged::content_range(token)).await.len()
    }

    fn pass_destroy_delay(&self) {
        self.world.clock.advance(Settings::default().destroy_delay);
    }
}

#[tokio::test]
async fn the_log_of_a_destroyed_token_is_read_back_whole_branch_by_branch_in_order() {
    let lake = Lake::new().await;
    lake.branch("side", "main").await;
    let mut tokens = vec![("main", lake.token_of("main").await), ("side", lake.token_of("side").await)];
    lake.stage("main", &[put("a", "1"), put("b", "1"), delete("a")]).await.unwrap();
    lake.put("side", "s", "1").await;
    lake.seal("main").await;
    tokens.push(("main", lake.token_of("main").await));
    lake.put("main", "a", "2").await;
    lake.commit("main").await;
    tokens.push(("main", lake.token_of("main").await));
    lake.put("main", "c", "1").await;
    lake.reset("main", ResetScope::All).await;
    lake.put("main", "open", "1").await;
    lake.catalog.delete_branch(&repo(), &branch("side"), &lake.mutation()).await.unwrap();

    let mut expected: BTreeMap<_, Vec<PathChange>> = BTreeMap::new();
    for (on, token) in &tokens {
        expected.entry(*on).or_default().extend(lake.changes(token).await);
    }
    lake.pass_destroy_delay();
    let report = lake.clean_up().await;
    assert_eq!((report.tokens, report.changes), (4, 6));
    for (on, expected) in &expected {
        assert_eq!(lake.moved(on).await, *expected, "{on}");
    }
    let told: Vec<_> = expected["main"].iter().map(told).collect();
    let all = ["a: nothing -> 1", "b: nothing -> 1", "a: 1 -> deleted", "a: deleted -> 2"];
    assert_eq!(told[..4], all);
    assert_eq!(told[4], "c: committed -> 1");
    for (_, token) in &tokens {
        assert_eq!(lake.content_rows(token).await, 0);
    }
    assert_eq!(lake.open_changes("main").await.len(), 1, "what is open stays where it is");
    assert_eq!(lake.clean_up().await.changes, 0);
}

#[tokio::test]
async fn a_run_may_die_at_every_step_between_reading_and_destroying_and_no_row_is_lost() {
    const ROWS: usize = 257;
    let puts: Vec<_> = (0..ROWS).map(|at| put(&format!("{at:04}"), "1")).collect();
    let mut died = 0;
    for steps in 1.. {
        let lake = Lake::new().await;
        let token = lake.token_of("main").await;
        lake.stage("main", &puts).await.unwrap();
        let expected = lake.changes(&token).await;
        lake.commit("main").await;
        lake.pass_destroy_delay();
        lake.world.fuse.set(steps);
        let answer = lake.catalog.clean_up().await;
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let moved = next.moved("main").await.len();
        assert!(moved == ROWS || next.changes(&token).await == expected, "{moved} after {steps} steps");
        next.world.clock.advance(Settings::default().lease_lifetime);
        let report = next.clean_up().await;
        assert!(report.changes <= ROWS - moved, "what was moved is not moved again: {report:?}, {moved}");
        assert_eq!(next.moved("main").await, expected, "after {steps} steps");
        assert_eq!(next.content_rows(&token).await, 0);
        if !burnt {
            assert_eq!(answer.unwrap().unwrap().changes, ROWS);
            break;
        }
        died += 1;
    }
    assert!(died > 8, "moving has more than {died} steps");
}

#[tokio::test]
async fn a_run_that_lost_its_lease_moves_and_destroys_nothing_and_the_other_does_all() {
    let lake = Lake::new().await;
    let token = lake.token_of("main").await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.pass_destroy_delay();
    let lease = lake.catalog.take_lease(Task::CleanUp).await.unwrap().unwrap();
    let other = lake.restarted();
    // It has read the rows, and is paused before it commits.
    lake.world.interrupt(move || async move {
        other.world.clock.advance(Settings::default().lease_lifetime);
        other.catalog.take_lease(Task::CleanUp).await.unwrap().unwrap();
    });
    assert_eq!(lake.catalog.clean_up_under(lease).await.unwrap_err().code(), Code::Conflict);
    assert_eq!((lake.moved("main").await.len(), lake.changes(&token).await.len()), (0, 1));
    lake.world.clock.advance(Settings::default().lease_lifetime);
    assert_eq!(lake.clean_up().await.changes, 1);
    assert_eq!((lake.moved("main").await.len(), lake.content_rows(&token).await), (1, 0));
}

#[tokio::test]
async fn the_moved_log_of_a_deleted_repository_goes_with_it_and_none_comes_after() {
    let lake = Lake::new().await;
    let moved = moved_change::range(&lake.repository_id().await);
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.pass_destroy_delay();
    lake.clean_up().await;
    assert_eq!(lake.rows_of(&moved).await.len(), 1);
    lake.put("main", "b", "1").await;
    lake.commit("main").await;
    lake.put("main", "c", "1").await;
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    lake.clean_up().await;
    assert_eq!(lake.rows_of(&moved).await.len(), 0);
    lake.pass_destroy_delay();
    assert_eq!(lake.clean_up().await.tokens, 2, "that of the commit, and the open one");
    assert_eq!(lake.rows_of(&moved).await.len(), 0);
}
