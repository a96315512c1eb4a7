//! Restores and dumps that break off, and who writes meanwhile.

use std::time::Duration;

use braid_kv::Outcome;
use braid_types::Error;

use super::super::fences::paused_writer;
use super::*;

#[tokio::test]
async fn a_repository_that_is_written_to_meanwhile_is_refused_and_keeps_what_was_written() {
    for late in ["main", "side"] {
        let lake = lake().await;
        dumped(&lake).await;
        made_again(&lake).await;
        let mut restore = lake.catalog.restore(request(None), &lake.mutation()).await.unwrap();
        restore.next().await.unwrap();
        match late {
            "main" => lake.put("main", "late", "1").await,
            _ => drop(lake.branch("side", "main").await),
        }
        let error = loop {
            match restore.next().await {
                Ok(event) => assert!(event.is_some(), "it claimed to be done"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code(), Code::RepositoryNotEmpty);
        assert_eq!(lake.content("main").await.len(), usize::from(late == "main"));
        assert_eq!(restore.next().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_paused_writer_does_not_write_to_the_empty_repository_that_is_gone() {
    let lake = lake().await;
    dumped(&lake).await;
    made_again(&lake).await;
    let txn = paused_writer(&lake, "main").await;
    restored(&lake, request(None)).await.unwrap();
    assert!(matches!(txn.commit().await, Outcome::Conflict(_)));
    assert_eq!(lake.get("main", "a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_commit_that_is_about_to_be_published_does_not_go_to_the_repository_that_is_gone() {
    let lake = lake().await;
    dumped(&lake).await;
    made_again(&lake).await;
    let other = lake.restarted();
    lake.world.interrupt(async move || {
        restored(&other, request(None)).await.unwrap();
    });
    let late = CommitRequest { allow_empty: true, ..lake.commit_request("main", "late") };
    let answer = lake.catalog.commit(&repo(), &late, &lake.mutation()).await;
    let commits = seen(&lake).await.2;
    assert!(commits.len() >= 5, "it is restored");
    if let Ok(id) = answer {
        assert!(commits.iter().any(|(known, _)| *known == id), "an acknowledged commit is lost");
    }
}

#[tokio::test]
async fn a_retry_of_a_request_that_was_done_answers_as_the_first() {
    let lake = lake().await;
    dumped(&lake).await;
    made_again(&lake).await;
    let mutation = lake.mutation();
    let first = restored_by(&lake, request(None), &mutation).await.unwrap();
    lake.put("main", "later", "1").await;
    let again = restored_by(&lake, request(None), &mutation).await.unwrap();
    assert_eq!(again, first);
    assert!(lake.get("main", "later").await.is_some());
    let other = RestoreRequest { manifest: Some(dumped(&lake).await.manifest), ..request(None) };
    let reused = restored_by(&lake, other, &mutation).await.unwrap_err();
    assert_eq!(reused.code(), Code::RequestIdReused);
    let another = restored(&lake, request(None)).await.unwrap_err();
    assert_eq!(another.code(), Code::RepositoryNotEmpty);
}

#[tokio::test]
async fn a_dump_may_die_at_every_step_and_leaves_a_manifest_of_a_whole_one() {
    let mut died = 0;
    for steps in 1.. {
        let lake = lake().await;
        lake.world.fuse.set(steps);
        let answer = try_dump(&lake).await;
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let before = seen(&next).await;
        let kept = *next.world.ranges.manifest.lock();
        assert!(kept.is_some() || answer.is_err(), "after {steps} steps it claimed what it did not do");
        if let Some(manifest) = kept {
            made_again(&next).await;
            restored(&next, request(Some(manifest))).await.unwrap();
            assert_eq!(seen(&next).await, before);
        }
        if !burnt {
            break;
        }
        died += 1;
    }
    assert!(died > 10, "a dump has more than {died} steps");
}

#[tokio::test]
async fn a_restore_may_die_at_every_step_is_never_half_visible_and_can_be_done_again() {
    let mut died = 0;
    for steps in 1.. {
        let lake = lake().await;
        let whole = seen(&lake).await;
        dumped(&lake).await;
        made_again(&lake).await;
        let empty = seen(&lake).await;
        lake.world.fuse.set(steps);
        let mutation = lake.mutation();
        let answer = restored_by(&lake, request(None), &mutation).await;
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let found = seen(&next).await;
        let done = found == whole;
        assert!(done || found == empty, "after {steps} steps half of it is visible");
        assert!(done || answer.is_err(), "after {steps} steps it claimed what it did not do");
        let denied = answer.as_ref().is_err_and(|error: &Error| !error.may_have_happened());
        assert!(!(done && denied), "after {steps} steps it denied what it did: {answer:?}");
        for (_, commit) in whole.2.iter().filter(|_| !done) {
            let id = commit.id().to_hex();
            let resolved = next.catalog.commit_at(&repo(), &expr(&id)).await;
            assert!(resolved.is_err() || empty.2.iter().any(|(known, _)| known.to_hex() == id));
        }

        // A retry of the same request, or another request, does it.
        match steps % 2 {
            0 => drop(restored_by(&next, request(None), &mutation).await.unwrap()),
            _ if done => {}
            _ => drop(restored(&next, request(None)).await.unwrap()),
        }
        assert_eq!(seen(&next).await, whole);
        next.world.clock.advance(Duration::from_secs(3600));
        for _ in 0..3 {
            next.clean_up().await;
        }
        assert_eq!(rows(&next).await, 2 + 5 + 3, "after {steps} steps something is left");
        if !burnt {
            break;
        }
        died += 1;
    }
    assert!(died > 20, "a restore has more than {died} steps");
}

#[tokio::test]
async fn a_restore_that_rests_for_long_is_cleaned_up_and_one_that_lives_is_not() {
    let lake = lake().await;
    dumped(&lake).await;
    made_again(&lake).await;
    lake.clean_up().await;
    let before = rows(&lake).await;
    let mut restore = lake.catalog.restore(request(None), &lake.mutation()).await.unwrap();
    restore.next().await.unwrap();
    lake.world.clock.advance(Duration::from_secs(3599));
    lake.clean_up().await;
    restore.next().await.unwrap();
    // The branches were a sign of life.
    restore.next().await.unwrap();
    lake.world.clock.advance(Duration::from_secs(3599));
    for _ in 0..2 {
        lake.clean_up().await;
    }
    assert!(rows(&lake).await > before + 5);
    lake.world.clock.advance(Duration::from_secs(1));
    for _ in 0..2 {
        lake.clean_up().await;
    }
    let error = loop {
        match restore.next().await {
            Ok(event) => assert!(event.is_some(), "it went on after it was cleaned up"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.message().contains("was given up"), "{error}");
    for _ in 0..2 {
        lake.world.clock.advance(Duration::from_secs(3600));
        lake.clean_up().await;
    }
    assert!(rows(&lake).await <= before);
    restored(&lake, request(None)).await.unwrap();
}

#[tokio::test]
async fn a_restore_that_fails_leaves_everything_to_the_next_clean_up() {
    let lake = Lake::new().await;
    lake.clean_up().await;
    let before = rows(&lake).await;
    let first = first_commit();
    let unknown = CommitId::from_bytes([7; 32]);
    let dump = crafted(&lake, &[first], &[("main", unknown)], &[]).await;
    restored(&lake, request(Some(dump))).await.unwrap_err();
    assert!(rows(&lake).await > before);
    for _ in 0..2 {
        lake.clean_up().await;
    }
    assert_eq!(rows(&lake).await, before);
}
