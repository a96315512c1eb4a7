//! What is wrong with what is stored is told, with its place; what is sound is not.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use braid_kv::{Mode, Outcome};
use braid_types::{Code, Commit, CommitId, RepositoryId, Result, TagName};
use bytes::Bytes;

use super::lake::*;
use crate::record::{commit, tag};
use crate::{FaultPlace, FileId, Fsck, FsckEvent, FsckFault, FsckProgress, FsckRequest, record};

/// `main` with three commits, `side` from the second of them with one of its own, and the tag `v1` on the first.
///
/// ```text
/// created ── first ── second ── third   main
///             v1         └───── other   side
/// ```
async fn lake() -> Lake {
    let lake = Lake::new().await;
    for number in 0..60 {
        lake.put("main", &format!("{number:03}"), "1").await;
    }
    lake.commit("main").await;
    let name = TagName::new("v1").unwrap();
    lake.catalog.create_tag(&repo(), &name, &expr("main"), &lake.mutation()).await.unwrap();
    lake.put("main", "030", "2").await;
    lake.commit("main").await;
    lake.branch("side", "main").await;
    lake.put("main", "059", "3").await;
    lake.commit("main").await;
    lake.put("side", "000", "4").await;
    lake.commit("side").await;
    lake
}

async fn id(lake: &Lake, at: &str) -> CommitId {
    lake.catalog.resolve_ref(&repo(), &expr(at)).await.unwrap().commit
}

async fn repository(lake: &Lake) -> RepositoryId {
    lake.catalog.repository(&repo()).await.unwrap().id
}

async fn write(lake: &Lake, key: Bytes, value: Option<Bytes>) {
    let mut txn = lake.world.kv.begin(Mode::Optimistic).await.unwrap();
    match value {
        Some(value) => txn.put(key, value),
        None => txn.delete(key),
    }
    assert!(matches!(txn.commit().await, Outcome::Committed(_)));
}

/// Stores something else under a commit's id, or nothing.
async fn write_commit(lake: &Lake, id: &CommitId, value: Option<Bytes>) {
    write(lake, commit::key(&repository(lake).await, id), value).await;
}

fn request(at: Option<&str>, history: bool) -> FsckRequest {
    FsckRequest { reference: at.map(expr), history }
}

async fn finish(mut fsck: Fsck) -> Result<(Vec<FsckFault>, FsckProgress)> {
    let (mut faults, mut last) = (Vec::new(), None);
    while let Some(event) = fsck.next().await? {
        last = match event {
            FsckEvent::Fault(fault) => {
                faults.push(fault);
                None
            }
            FsckEvent::Progress(progress) => Some(progress),
        };
    }
    let last = last.expect("progress comes last");
    assert_eq!((last.faults, last.files), (faults.len() as u64, last.files_total));
    Ok((faults, last))
}

async fn check(lake: &Lake, request: &FsckRequest) -> (Vec<FsckFault>, FsckProgress) {
    finish(lake.catalog.fsck(&repo(), request).await.unwrap()).await.unwrap()
}

/// The faults that are found in branches and tags, as place and text.
async fn faults(lake: &Lake) -> Vec<(FaultPlace, String)> {
    let (faults, _) = check(lake, &request(None, false)).await;
    faults.into_iter().map(|fault| (fault.place, fault.what)).collect()
}

#[tokio::test]
async fn a_sound_repository_has_no_faults_and_each_file_is_read_once() {
    let lake = lake().await;
    let files = lake.world.ranges.ids().len() as u64;
    let before = lake.world.counters.puts.load(Ordering::Relaxed);
    for (asked, commits, trees) in [
        (request(None, false), 3, 3),
        (request(None, true), 5, 4),
        (request(Some("main"), false), 1, 1),
        (request(Some("main"), true), 4, 3),
        (request(Some("v1~1"), true), 1, 0),
    ] {
        let (faults, progress) = check(&lake, &asked).await;
        assert_eq!(faults, [], "{asked:?}");
        assert_eq!((progress.commits, progress.trees), (commits, trees), "{asked:?}");
        if trees == 4 {
            assert_eq!(progress.files, files, "all that was ever written");
        }
        assert!(progress.files <= files && (trees == 0) == (progress.bytes + progress.entries == 0));
    }
    assert_eq!(lake.world.counters.puts.load(Ordering::Relaxed), before);
    let empty = Lake::new().await;
    let (faults, progress) = check(&empty, &request(None, true)).await;
    assert_eq!((faults.len(), progress), (0, FsckProgress { commits: 1, ..FsckProgress::default() }));
}

#[tokio::test]
async fn each_damaged_or_missing_file_is_told_once_by_its_id() {
    let lake = lake().await;
    let hex = |place: &FaultPlace| match place {
        FaultPlace::File(file) => file.to_hex(),
        other => panic!("{other:?}"),
    };
    for file in lake.world.ranges.ids() {
        let mut sound = Vec::new();
        lake.world.ranges.damage(&file, |bytes| {
            sound.clone_from(bytes);
            bytes[10] ^= 4;
        });
        let (found, _) = check(&lake, &request(None, true)).await;
        assert!(!found.is_empty());
        assert!(found.iter().all(|fault| hex(&fault.place) == hex::encode(file)), "{found:?}");
        assert!(found.iter().any(|fault| fault.offset == Some(0)), "{found:?}");
        assert!(lake.world.ranges.ids().contains(&file), "nothing is changed");
        lake.world.ranges.damage(&file, |bytes| bytes.clone_from(&sound));
    }
    let all = lake.world.ranges.ids();
    for file in &all[..2] {
        lake.world.ranges.damage(file, Vec::clear);
    }
    let (found, _) = check(&lake, &request(None, true)).await;
    let told: BTreeSet<_> = found.iter().map(|fault| hex(&fault.place)).collect();
    let lost: BTreeSet<_> = all[..2].iter().map(hex::encode).collect();
    assert!(told.is_subset(&lost) && !told.is_empty(), "{found:?}");
    assert!(found.iter().all(|fault| fault.offset.is_none() && fault.what.contains("missing")), "{found:?}");
}

#[tokio::test]
async fn what_is_in_memory_does_not_hide_what_is_stored() {
    let lake = lake().await;
    let main = id(&lake, "main").await;
    let (_, sound) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    let wrong = Commit { message: "another".into(), ..(*sound).clone() };
    write_commit(&lake, &main, Some(commit::encode(&wrong))).await;
    assert_eq!(lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap().1, sound);
    let what = format!("the stored commit '{main}' has the hash '{}'", wrong.id());
    assert_eq!(faults(&lake).await, [(FaultPlace::Commit(main), what)]);
    write_commit(&lake, &main, Some(Bytes::from_static(b"\xff"))).await;
    assert!(matches!(&faults(&lake).await[..], [(FaultPlace::Commit(id), _)] if *id == main));
}

#[tokio::test]
async fn generations_that_are_not_one_more_than_the_parents_are_told() {
    let lake = lake().await;
    let main = id(&lake, "main").await;
    let (_, sound) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    let first = id(&lake, "main~3").await;
    let (_, created) = lake.catalog.commit_at(&repo(), &expr("main~3")).await.unwrap();
    for generation in [sound.generation - 1, sound.generation + 1] {
        write_commit(&lake, &main, Some(commit::encode(&Commit { generation, ..(*sound).clone() }))).await;
        let what = format!("its generation is {generation}; that of its parents is {}", sound.generation - 1);
        assert_eq!(faults(&lake).await, [(FaultPlace::Commit(main), what)]);
    }
    write_commit(&lake, &main, Some(commit::encode(&sound))).await;
    write_commit(&lake, &first, Some(commit::encode(&Commit { generation: 0, ..(*created).clone() }))).await;
    let (found, _) = check(&lake, &request(Some("main~3"), false)).await;
    assert_eq!(found[0].what, "its generation is 0; without parents it must be 1");
    assert_eq!(check(&lake, &request(Some("main"), true)).await.0.len(), 2, "it and its child");
}

#[tokio::test]
async fn missing_commits_are_told_where_they_are_named() {
    let lake = lake().await;
    let (main, side, second) = (id(&lake, "main").await, id(&lake, "side").await, id(&lake, "main~1").await);
    write_commit(&lake, &second, None).await;
    let what = format!("its parent '{second}' is missing");
    let told: BTreeSet<_> =
        faults(&lake).await.into_iter().map(|(place, what)| (format!("{place:?}"), what)).collect();
    let expected = [main, side].map(|child| (format!("{:?}", FaultPlace::Commit(child)), what.clone()));
    assert_eq!(told, BTreeSet::from(expected));

    write_commit(&lake, &main, None).await;
    let first = id(&lake, "v1").await;
    write_commit(&lake, &first, None).await;
    let told = faults(&lake).await;
    let missing = |place: FaultPlace, commit| (place, format!("its commit '{commit}' is missing"));
    assert!(told.contains(&missing(FaultPlace::Branch(branch("main")), main)), "{told:?}");
    assert!(told.contains(&missing(FaultPlace::Tag(TagName::new("v1").unwrap()), first)), "{told:?}");
}

#[tokio::test]
async fn refs_that_cannot_be_read_are_told_and_all_of_them_are_looked_at() {
    let lake = lake().await;
    for number in 0..130 {
        lake.branch(&format!("b{number:03}"), "main").await;
    }
    let repository = repository(&lake).await;
    let garbage = || Some(Bytes::from_static(b"\x01"));
    write(&lake, record::branch::key(&repository, &branch("b129")), garbage()).await;
    let wrong = TagName::new("v2").unwrap();
    write(&lake, tag::key(&repository, &wrong), garbage()).await;
    let places: Vec<_> = faults(&lake).await.into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, [FaultPlace::Branch(branch("b129")), FaultPlace::Tag(wrong)]);
}

#[tokio::test]
async fn a_damaged_parent_is_told_of_itself_also_without_history() {
    let lake = lake().await;
    let second = id(&lake, "main~1").await;
    write_commit(&lake, &second, Some(Bytes::from_static(b"\xff"))).await;
    for history in [false, true] {
        let (found, _) = check(&lake, &request(None, history)).await;
        let places: Vec<_> = found.into_iter().map(|fault| fault.place).collect();
        assert_eq!(places, [FaultPlace::Commit(second)]);
    }
}

#[tokio::test]
async fn a_repository_that_goes_meanwhile_is_no_fault() {
    let lake = lake().await;
    let begun = lake.catalog.fsck(&repo(), &request(Some("main"), true)).await.unwrap();
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    lake.clean_up().await;
    assert_eq!(finish(begun).await.unwrap_err().code(), Code::RepositoryNotFound);
}

#[tokio::test]
async fn wrong_requests_are_refused_and_stores_that_fail_end_the_check() {
    let lake = lake().await;
    let refused =
        async |at| lake.catalog.fsck(&repo(), &request(Some(at), false)).await.err().unwrap().code();
    assert_eq!(refused("nothing").await, Code::RefNotFound);
    assert_eq!(refused("main$").await, Code::InvalidArgument);
    let begun = lake.catalog.fsck(&repo(), &request(None, false)).await.unwrap();
    lake.world.fuse.set(0);
    assert_eq!(finish(begun).await.unwrap_err().code(), Code::Unavailable);
    lake.world.fuse.off();
    let tree = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap().1.metarange.unwrap();
    lake.world.ranges.damage(tree.as_bytes(), Vec::clear);
    let (found, _) = check(&lake, &request(Some("main"), false)).await;
    assert_eq!(found[0].place, FaultPlace::File(FileId::Metarange(tree)));
}
