//! A process that dies between any two calls of its stores loses nothing, and the next one goes on.

use braid_types::{Code, Error};

use super::commit_sets::{commit, merge, tag};
use super::conditions::{absent, operation};
use super::lake::*;
use crate::*;

/// Whether a caller must take the answer for "it may have happened".
fn may_have_happened(result: &Result<(), Error>) -> bool {
    match result {
        Ok(()) => true,
        Err(error) => error.may_have_happened(),
    }
}

/// `main` with committed, sealed and staged content.
async fn used() -> (Lake, Content) {
    let lake = Lake::new().await;
    for number in 0..30 {
        lake.put("main", &format!("{number:02}"), "0").await;
    }
    lake.commit("main").await;
    lake.put("main", "sealed", "1").await;
    lake.seal("main").await;
    lake.put("main", "05", "1").await;
    lake.delete("main", "06").await;
    lake.put("main", "staged", "1").await;
    let expected = lake.content("main").await;
    (lake, expected)
}

#[tokio::test]
async fn a_commit_may_die_at_every_step() {
    let mut died = 0;
    for steps in 1.. {
        let (lake, expected) = used().await;
        lake.world.fuse.set(steps);
        let request = lake.commit_request("main", "m");
        let mutation = lake.mutation();
        let answer = lake.catalog.commit(&repo(), &request, &mutation).await;
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        assert_eq!(next.content("main").await, expected, "after {steps} steps");
        let committed = next.content("main@").await == expected;
        let answer = answer.map(|_| ());
        assert!(
            !committed || may_have_happened(&answer),
            "after {steps} steps it denied what it did: {answer:?}"
        );
        assert!(committed || answer.is_err(), "after {steps} steps it claimed what it did not do");

        // The retry of the same request answers once and for all.
        let id = next.catalog.commit(&repo(), &request, &mutation).await.unwrap();
        assert_eq!(next.content("main@").await, expected);
        assert_eq!(next.branch_head("main").await, id);
        assert!(next.uncommitted("main").await.is_empty());
        next.put("main", "after", "1").await;
        next.commit("main").await;
        if !burnt {
            break;
        }
        died += 1;
    }
    assert!(died > 20, "a commit has more than {died} steps");
}

#[tokio::test]
async fn a_merge_may_die_at_every_step() {
    let mut died = 0;
    for steps in 1.. {
        let (lake, _) = used().await;
        lake.commit("main").await;
        lake.branch("side", "main").await;
        lake.put("side", "07", "side").await;
        lake.put("side", "new", "side").await;
        lake.commit("side").await;
        let before = lake.content("main").await;
        let mut expected = before.clone();
        expected.extend(content([("07", "side"), ("new", "side")]));

        lake.world.fuse.set(steps);
        let request = lake.merge_request("side", "main", Strategy::Refuse);
        let mutation = lake.mutation();
        let answer = lake.catalog.merge(&repo(), &request, &mutation).await.map(|_| ());
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let seen = next.content("main").await;
        assert!(seen == before || seen == expected, "half a merge after {steps} steps");
        assert!(seen == before || may_have_happened(&answer), "after {steps} steps: {answer:?}");
        assert!(seen == expected || answer.is_err(), "after {steps} steps");
        let id = next.catalog.merge(&repo(), &request, &mutation).await.unwrap();
        assert_eq!((next.branch_head("main").await, next.content("main").await), (id, expected));
        if !burnt {
            break;
        }
        died += 1;
    }
    assert!(died > 10, "a merge has more than {died} steps");
}

#[tokio::test]
async fn a_chain_of_merges_may_die_at_every_step() {
    let mut died = 0;
    for steps in 1.. {
        let lake = Lake::new().await;
        let sides = lake.sides(3).await;
        let mutations: Vec<_> = sides.iter().map(|_| lake.mutation()).collect();
        let merge_all = async |lake: &Lake| {
            let each = sides.iter().zip(&mutations).map(|(side, by)| async move {
                let request = lake.merge_request(side, "main", Strategy::Refuse);
                lake.catalog.merge(&repo(), &request, by).await
            });
            let each = futures::future::join_all(each);
            tokio::task::unconstrained(each).await
        };
        lake.world.fuse.set(steps);
        let answers = merge_all(&lake).await;
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let seen = next.content("main").await.len();
        assert!(seen == 0 || seen == 3, "half a chain after {steps} steps");
        for answer in answers.into_iter().map(|answer| answer.map(|_| ())) {
            assert!(seen == 0 || may_have_happened(&answer), "after {steps} steps: {answer:?}");
            assert!(seen == 3 || answer.is_err(), "after {steps} steps");
        }
        assert!(merge_all(&next).await.iter().all(Result::is_ok), "after {steps} steps");
        assert_eq!(next.content("main").await.len(), 3);
        let (_, head) = next.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
        assert_eq!(head.generation, 2 + 3, "each was merged once, on commits of the second generation");
        if !burnt {
            break;
        }
        died += 1;
    }
    assert!(died > 20, "a chain has more than {died} steps");
}

#[tokio::test]
async fn a_commit_set_may_die_at_every_step() {
    let mut died = 0;
    for steps in 1.. {
        let (lake, main) = used().await;
        lake.branch("side", "main").await;
        lake.put("side", "s", "1").await;
        let side = lake.content("side").await;
        let members =
            [commit(&lake, "main"), commit(&lake, "side"), merge(&lake, "main", "side"), tag("v", "side")];
        let mutation = lake.mutation();
        lake.world.fuse.set(steps);
        let answer = lake.catalog.commit_set(&members, &mutation).await.map(|_| ());
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let mut merged = main.clone();
        merged.extend(content([("s", "1")]));
        let seen = (next.content("main").await, next.content("side").await);
        let done = next.catalog.stat(&repo(), &expr("v"), &path("s")).await.is_ok();
        assert_eq!(seen.0, main);
        assert_eq!(seen.1, if done { merged.clone() } else { side }, "half a set after {steps} steps");
        assert_eq!(next.content("main@").await == main, done, "half a set after {steps} steps");
        assert!(!done || may_have_happened(&answer), "after {steps} steps: {answer:?}");
        assert!(done || answer.is_err(), "after {steps} steps");
        let made = next.catalog.commit_set(&members, &mutation).await.unwrap();
        assert_eq!((made[0], made[2]), (next.branch_head("main").await, next.branch_head("side").await));
        assert_eq!(next.content("side@").await, merged);
        assert!(next.uncommitted("main").await.is_empty());
        if !burnt {
            break;
        }
        died += 1;
    }
    assert!(died > 30, "a commit set has more than {died} steps");
}

#[tokio::test]
async fn a_put_may_die_at_every_step() {
    for steps in 1.. {
        let (lake, before) = used().await;
        let mut expected = before.clone();
        expected.extend(content([("x", "1"), ("y", "1")]));
        lake.world.fuse.set(steps);
        let (operations, mutation) = ([put("x", "1"), put_if_absent("y", "1")], lake.mutation());
        let main = branch("main");
        let answer = lake.catalog.stage(&repo(), &main, &operations, &mutation).await.map(|_| ());
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let seen = next.content("main").await;
        assert!(seen == before || seen == expected, "half a transaction after {steps} steps");
        assert!(seen == before || may_have_happened(&answer), "after {steps} steps: {answer:?}");
        assert!(seen == expected || answer.is_err(), "after {steps} steps");
        next.catalog.stage(&repo(), &main, &operations, &mutation).await.unwrap();
        assert_eq!(next.content("main").await, expected);
        if !burnt {
            break;
        }
    }
}

#[tokio::test]
async fn an_apply_may_die_at_every_step() {
    let mut died = 0;
    for steps in 1.. {
        let (lake, main) = used().await;
        lake.branch("side", "main").await;
        let side = lake.content("side").await;
        let (mut main_after, mut side_after) = (main.clone(), side.clone());
        main_after.extend(content([("x", "1")]));
        side_after.remove("05");
        let operations = vec![operation("main", put("x", "1")), operation("side", delete("05"))];
        let request = ApplyRequest { preconditions: vec![absent("side", "x")], operations };
        let mutation = lake.mutation();
        lake.world.fuse.set(steps);
        let answer = lake.catalog.apply(&request, &mutation).await.map(|_| ());
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let seen = (next.content("main").await, next.content("side").await);
        let (before, after) = ((main, side), (main_after, side_after));
        assert!(seen == before || seen == after, "half a transaction after {steps} steps");
        assert!(seen == before || may_have_happened(&answer), "after {steps} steps: {answer:?}");
        assert!(seen == after || answer.is_err(), "after {steps} steps");
        let again = next.catalog.apply(&request, &mutation).await.unwrap();
        assert_eq!(again, [Applied::Put, Applied::Deleted]);
        assert_eq!((next.content("main").await, next.content("side").await), after);
        if !burnt {
            break;
        }
        died += 1;
    }
    assert!(died > 5, "an apply has more than {died} steps");
}

/// A structural change, and what it should make of the branch.
struct Structural {
    change: Change,
    expected: Content,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Move,
    Erase,
    Reset,
}

impl Structural {
    async fn new(lake: &Lake, change: Change) -> Self {
        let mut expected = lake.content("main").await;
        let committed = lake.content("main@").await;
        let under: Vec<String> = expected.keys().filter(|path| path.starts_with("d/")).cloned().collect();
        for path in under {
            let value = expected.remove(&path).unwrap();
            if let Change::Move = change {
                expected.insert(format!("e{}", &path[1..]), value);
            }
        }
        if let Change::Reset = change {
            expected.extend(committed.into_iter().filter(|(path, _)| path.starts_with("d/")));
        }
        Self { change, expected }
    }

    async fn run(&self, lake: &Lake, by: &Mutation) -> Result<(), Error> {
        let (directory, main) = (prefix("d/"), branch("main"));
        match self.change {
            Change::Move => {
                let what = move_directory("main", "d/", "e/", false);
                lake.catalog.move_directory(&repo(), &what, by).await
            }
            Change::Erase => lake.catalog.delete_prefix(&repo(), &main, &directory, by).await.map(|_| ()),
            Change::Reset => lake.catalog.reset(&repo(), &main, &ResetScope::Prefix(directory), by).await,
        }
    }
}

/// `main` as [`used`] makes it, with a directory `d/` that is committed and changed.
async fn with_directory(count: usize) -> Lake {
    let lake = Lake::new().await;
    lake.fill("main", "d/", count).await;
    lake.fill("main", "x", 5).await;
    lake.commit("main").await;
    lake.put("main", "d/00", "2").await;
    lake.put("main", "d/new", "2").await;
    lake.delete("main", "d/01").await;
    lake
}

#[tokio::test]
async fn a_structural_change_may_die_at_every_step() {
    for (change, count) in [
        (Change::Move, 3),
        (Change::Move, 40),
        (Change::Erase, 3),
        (Change::Erase, 40),
        (Change::Reset, 3),
        (Change::Reset, 40),
    ] {
        let mut died = 0;
        for steps in 1.. {
            let lake = with_directory(count).await;
            let before = lake.content("main").await;
            let structural = Structural::new(&lake, change).await;
            let by = lake.mutation();
            lake.world.fuse.set(steps);
            let answer = structural.run(&lake, &by).await;
            let burnt = lake.world.fuse.is_burnt();
            let next = lake.restarted();
            let (seen, expected) = (next.content("main").await, structural.expected.clone());
            let told = format!("{change:?} of {count} after {steps} steps: {answer:?}");
            assert!(seen == before || seen == expected, "half done: {told}");
            assert!(seen == before || may_have_happened(&answer), "{told}");
            assert!(seen == expected || answer.is_err(), "{told}");
            structural.run(&next, &by).await.unwrap();
            assert_eq!(next.content("main").await, expected, "{told}");
            next.put("main", "y", "1").await;
            let mut expected = expected;
            expected.insert("y".into(), "1".into());
            next.commit("main").await;
            assert_eq!(next.content("main@").await, expected, "{told}");
            if !burnt {
                break;
            }
            died += 1;
        }
        assert!(died > 10, "{change:?} of {count} has more than {died} steps");
    }
}

#[tokio::test]
async fn flattening_may_die_at_every_step() {
    let mut died = 0;
    for steps in 1.. {
        let lake = with_directory(40).await;
        lake.rename("main", "d/", "e/").await;
        lake.put("main", "e/late", "1").await;
        lake.erase("main", "x").await;
        let (expected, uncommitted) = (lake.content("main").await, lake.uncommitted("main").await);
        lake.world.fuse.set(steps);
        let repository = lake.world.catalog().repository(&repo()).await;
        if let Ok(repository) = &repository {
            let _ = lake.catalog.flatten(repository, &branch("main")).await;
        }
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        assert_eq!(next.content("main").await, expected, "after {steps} steps");
        assert_eq!(next.uncommitted("main").await, uncommitted, "after {steps} steps");
        next.flatten("main").await;
        assert_eq!(next.record_of("main").await.sealed.len(), 1);
        next.commit("main").await;
        assert_eq!(next.content("main@").await, expected);
        if !burnt {
            break;
        }
        died += 1;
    }
    assert!(died > 10, "flattening has more than {died} steps");
}

#[tokio::test]
async fn a_clean_up_may_die_at_every_step_and_destroys_only_what_was_dropped() {
    for steps in 1.. {
        let (lake, expected) = used().await;
        lake.commit("main").await;
        lake.branch("gone", "main").await;
        lake.put("gone", "x", "1").await;
        lake.catalog.delete_branch(&repo(), &branch("gone"), &lake.mutation()).await.unwrap();
        lake.put("main", "staged-again", "1").await;
        lake.world.clock.advance(Settings::default().destroy_delay);
        lake.world.fuse.set(steps);
        let answer = lake.catalog.clean_up().await;
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let mut with_staged = expected.clone();
        with_staged.extend(content([("staged-again", "1")]));
        assert_eq!(next.content("main").await, with_staged);
        next.world.clock.advance(Settings::default().lease_lifetime);
        next.clean_up().await;
        assert_eq!(next.clean_up().await.tokens, 0, "nothing dropped is left");
        if !burnt {
            assert_eq!(answer.unwrap().unwrap().tokens, 4, "three layers of main and one of gone");
            break;
        }
    }
}

#[tokio::test]
async fn a_store_that_loses_a_range_is_named_and_serves_nothing_wrong() {
    let (lake, _) = used().await;
    lake.commit("main").await;
    lake.world.ranges.lose_everything();
    let error = lake.try_content("main").await.unwrap_err();
    assert_eq!(error.code(), Code::Corrupt);
    assert!(error.message().contains("missing"), "{error}");
}
