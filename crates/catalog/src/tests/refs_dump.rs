//! Dumps of references, and restoring them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use braid_kv::{KeyRange, Outcome, ScanOptions};
use braid_tree::{LabelledWriter, Labels, Record, TreeFormat, Value};
use braid_types::{Code, Commit, CommitId, Error, RepositoryId, RepositoryName, Result, TagName, Time};

use super::fences::paused_writer;
use super::lake::*;
use crate::refs_dump::{BRANCHES, COMMITS, TAGS, branch_record, commit_record, tag_record};
use crate::*;

async fn dumped(lake: &Lake) -> Dumped {
    try_dump(lake).await.unwrap()
}

async fn try_dump(lake: &Lake) -> Result<Dumped> {
    let mut dump = lake.catalog.dump(&repo()).await?;
    while let Some(event) = dump.next().await? {
        if let DumpEvent::Done(dumped) = event {
            assert!(dump.next().await?.is_none());
            return Ok(dumped);
        }
    }
    panic!("a dump ends with what was dumped");
}

fn request(manifest: Option<RefsManifest>) -> RestoreRequest {
    RestoreRequest { repository: repo(), manifest, create: None }
}

fn creating(manifest: RefsManifest, name: &str, default_branch: Option<&str>) -> RestoreRequest {
    let create = CreateOver {
        storage_namespace: format!("mem://{name}"),
        default_branch: default_branch.map(branch),
        take_over: false,
    };
    RestoreRequest {
        repository: RepositoryName::new(name).unwrap(),
        manifest: Some(manifest),
        create: Some(create),
    }
}

async fn restored(lake: &Lake, request: RestoreRequest) -> Result<Restored> {
    restored_by(lake, request, &lake.mutation()).await
}

async fn restored_by(lake: &Lake, request: RestoreRequest, mutation: &Mutation) -> Result<Restored> {
    let mut restore = lake.catalog.restore(request, mutation).await?;
    while let Some(event) = restore.next().await? {
        if let RestoreEvent::Done(restored) = event {
            assert!(restore.next().await?.is_none());
            return Ok(restored);
        }
    }
    panic!("a restore ends with what was restored");
}

/// Deletes the repository, and makes an empty one in its place.
async fn made_again(lake: &Lake) {
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    let create = CreateRepository {
        name: repo(),
        storage_namespace: "mem://lake".into(),
        default_branch: branch("main"),
    };
    lake.catalog.create_repository(create, &lake.mutation()).await.unwrap();
}

/// `main` with a merge, `side`, the tag `v1` and a commit with metadata.
///
/// ```text
/// created ── a (v1) ── b ── merge   main
///             └────── c ────┘       side
/// ```
async fn lake() -> Lake {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.catalog
        .create_tag(&repo(), &TagName::new("v1").unwrap(), &expr("main"), &lake.mutation())
        .await
        .unwrap();
    lake.branch("side", "main").await;
    lake.put("main", "b", "1").await;
    let request = CommitRequest {
        metadata: BTreeMap::from([("z".into(), "1".into()), ("k".into(), "ü".into())]),
        ..lake.commit_request("main", "with metadata")
    };
    lake.catalog.commit(&repo(), &request, &lake.mutation()).await.unwrap();
    lake.put("side", "c", "1").await;
    lake.commit("side").await;
    lake.merge("side", "main").await;
    lake
}

/// All that can be seen of a repository's history.
async fn seen(lake: &Lake) -> (Vec<BranchInfo>, Vec<TagInfo>, Vec<(CommitId, Commit)>) {
    let page = PageRequest::default();
    let branches = lake.catalog.list_branches(&repo(), "", &page).await.unwrap().items;
    let tags = lake.catalog.list_tags(&repo(), "", &page).await.unwrap().items;
    let log = LogRequest {
        start: expr("main"),
        first_parent: false,
        since: None,
        stop_at: None,
        paths: Vec::new(),
        prefixes: Vec::new(),
    };
    let mut history = lake.catalog.log(&repo(), log).await.unwrap();
    let mut commits = Vec::new();
    while let Some((id, commit)) = history.next().await.unwrap() {
        commits.push((id, (*commit).clone()));
    }
    (branches, tags, commits)
}

async fn rows(lake: &Lake) -> usize {
    let everything = KeyRange::new(bytes::Bytes::from_static(b"\0"), bytes::Bytes::from_static(b"\xff"));
    let snapshot = lake.world.kv.snapshot().await.unwrap();
    let rows = snapshot.scan(&everything, ScanOptions::first(1_000_000).keys_only()).await.unwrap();
    // Results of requests stay for a day, stripes of fences and dropped tokens for a while.
    rows.iter().filter(|(key, _)| !b"qfs".contains(&key[0]) && !key.starts_with(b"it")).count()
}

#[tokio::test]
async fn what_was_dumped_is_restored_with_the_same_ids() {
    let lake = lake().await;
    let before = (seen(&lake).await, lake.content("main").await, lake.content("side").await);
    let dump = dumped(&lake).await;
    assert_eq!((dump.counts.commits, dump.counts.branches, dump.counts.tags), (5, 2, 1));
    made_again(&lake).await;
    let empty = lake.catalog.repository(&repo()).await.unwrap();

    let restored = restored(&lake, request(None)).await.unwrap();
    assert_eq!(restored.counts, RefsProgress { commits_total: 5, checked: 5, ..dump.counts });
    assert_eq!(restored.repository, lake.catalog.repository(&repo()).await.unwrap());
    assert_eq!(restored.repository, RepositoryRecord { id: restored.repository.id, ..empty });
    assert_eq!((seen(&lake).await, lake.content("main").await, lake.content("side").await), before);

    // And it is a repository like any other.
    assert_eq!(dumped(&lake).await.manifest, dump.manifest, "what is equal has equal dumps");
    lake.put("side", "d", "1").await;
    lake.commit("side").await;
    lake.merge("side", "main").await;
    assert_eq!(lake.content("main").await.len(), 4);
    let mut fsck = lake.catalog.fsck(&repo(), &FsckRequest { reference: None, history: true }).await.unwrap();
    while let Some(event) = fsck.next().await.unwrap() {
        assert!(matches!(event, FsckEvent::Progress(_)), "{event:?}");
    }
    lake.catalog.clean_up().await.unwrap();
    lake.catalog.clean_up().await.unwrap();
    // Two of them are the log of the commit and the merge.
    assert_eq!(rows(&lake).await, 2 + 7 + 3 + 2, "nothing of the empty one is left");
}

#[tokio::test]
async fn a_repository_is_made_over_the_namespace_of_a_dump() {
    let lake = lake().await;
    let dump = dumped(&lake).await;
    let made = restored(&lake, creating(dump.manifest, "made", None)).await.unwrap();
    assert_eq!(
        (made.repository.default_branch.as_str(), &*made.repository.storage_namespace),
        ("main", "mem://made")
    );
    let name = RepositoryName::new("made").unwrap();
    assert_eq!(lake.catalog.repository(&name).await.unwrap(), made.repository);
    let head = lake.catalog.branch(&name, &branch("main")).await.unwrap().head;
    assert_eq!(head, lake.branch_head("main").await);
    let side = restored(&lake, creating(dump.manifest, "side", Some("side"))).await.unwrap();
    assert_eq!(side.repository.default_branch, branch("side"));

    let code = async |request| restored(&lake, request).await.unwrap_err().code();
    assert_eq!(code(creating(dump.manifest, "made", None)).await, Code::RepositoryExists);
    assert_eq!(code(creating(dump.manifest, "other", Some("gone"))).await, Code::InvalidDump);
    let mut taken = creating(dump.manifest, "other", None);
    taken.create.as_mut().unwrap().storage_namespace = "mem://made".into();
    assert_eq!(code(taken).await, Code::NamespaceInUse);
    let other = RepositoryName::new("other").unwrap();
    assert_eq!(lake.catalog.repository(&other).await.unwrap_err().code(), Code::RepositoryNotFound);
}

#[tokio::test]
async fn the_only_branch_is_the_default_one_where_nothing_else_is_said() {
    let lake = Lake::new().await;
    let first = first_commit();
    let head = first.id();
    let dump = crafted(&lake, &[first], &[("trunk", head)], &[]).await;
    let made = restored(&lake, creating(dump, "one", None)).await.unwrap();
    assert_eq!(made.repository.default_branch, branch("trunk"));
    let dump = crafted(&lake, &[first_commit()], &[("trunk", head), ("x", head)], &[]).await;
    let error = restored(&lake, creating(dump, "two", None)).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::InvalidDump, "main"));
}

#[tokio::test]
async fn a_repository_that_is_not_empty_is_refused_and_says_why() {
    let dump = dumped(&lake().await).await.manifest;
    for (what, says) in [
        ("staged", "branch 'main' has uncommitted changes"),
        ("committed", "there are commits on branch 'main'"),
        ("branch", "it has the branch 'side'"),
        ("tag", "it has the tag 'v1'"),
    ] {
        let lake = Lake::new().await;
        match what {
            "branch" => drop(lake.branch("side", "main").await),
            "tag" => {
                let name = TagName::new("v1").unwrap();
                lake.catalog.create_tag(&repo(), &name, &expr("main"), &lake.mutation()).await.unwrap();
            }
            _ => lake.put("main", "a", "1").await,
        }
        if what == "committed" {
            lake.commit("main").await;
        }
        let before = rows(&lake).await;
        let error = restored(&lake, request(Some(dump))).await.unwrap_err();
        assert_eq!((error.code(), error.subject()), (Code::RepositoryNotEmpty, "lake"));
        assert!(error.message().contains(says), "{error}");
        assert_eq!(rows(&lake).await, before);
    }
}

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
async fn a_namespace_without_a_dump_is_named() {
    let lake = Lake::new().await;
    let error = restored(&lake, request(None)).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::DumpNotFound, "mem://lake"));
}

#[tokio::test]
async fn what_is_staged_is_in_no_dump_and_its_branches_are_named() {
    let lake = lake().await;
    lake.put("side", "staged", "1").await;
    lake.branch("sealed", "main").await;
    lake.put("sealed", "x", "1").await;
    lake.seal("sealed").await;
    let dump = dumped(&lake).await;
    assert_eq!((dump.uncommitted, dump.uncommitted_branches), (2, vec![branch("sealed"), branch("side")]));
    made_again(&lake).await;
    restored(&lake, request(None)).await.unwrap();
    assert_eq!(lake.get("side", "staged").await, None);
    for number in 0..12 {
        lake.branch(&format!("b{number:02}"), "main").await;
        lake.put(&format!("b{number:02}"), "x", "1").await;
    }
    let dump = dumped(&lake).await;
    assert_eq!((dump.uncommitted, dump.uncommitted_branches.len()), (12, 10));
}

#[tokio::test]
async fn a_dump_shows_one_state() {
    let lake = lake().await;
    let expected = dumped(&lake).await.manifest;
    let mut dump = lake.catalog.dump(&repo()).await.unwrap();
    lake.put("main", "late", "1").await;
    lake.commit("main").await;
    lake.branch("late", "main").await;
    while let Some(event) = dump.next().await.unwrap() {
        if let DumpEvent::Done(dumped) = event {
            assert_eq!(dumped.manifest, expected);
        }
    }
    assert_ne!(dumped(&lake).await.manifest, expected);
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
            next.catalog.clean_up().await.unwrap();
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
    lake.catalog.clean_up().await.unwrap();
    let before = rows(&lake).await;
    let mut restore = lake.catalog.restore(request(None), &lake.mutation()).await.unwrap();
    restore.next().await.unwrap();
    lake.world.clock.advance(Duration::from_secs(3599));
    lake.catalog.clean_up().await.unwrap();
    restore.next().await.unwrap();
    // The branches were a sign of life.
    restore.next().await.unwrap();
    lake.world.clock.advance(Duration::from_secs(3599));
    lake.catalog.clean_up().await.unwrap();
    assert!(rows(&lake).await > before + 5);
    lake.world.clock.advance(Duration::from_secs(1));
    for _ in 0..2 {
        lake.catalog.clean_up().await.unwrap();
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
        lake.catalog.clean_up().await.unwrap();
    }
    assert!(rows(&lake).await <= before);
    restored(&lake, request(None)).await.unwrap();
}

#[tokio::test]
async fn a_restore_that_fails_leaves_everything_to_the_next_clean_up() {
    let lake = Lake::new().await;
    lake.catalog.clean_up().await.unwrap();
    let before = rows(&lake).await;
    let first = first_commit();
    let unknown = CommitId::from_bytes([7; 32]);
    let dump = crafted(&lake, &[first], &[("main", unknown)], &[]).await;
    restored(&lake, request(Some(dump))).await.unwrap_err();
    assert!(rows(&lake).await > before);
    for _ in 0..2 {
        lake.catalog.clean_up().await.unwrap();
    }
    assert_eq!(rows(&lake).await, before);
}

fn first_commit() -> Commit {
    Commit {
        parents: Vec::new(),
        metarange: None,
        committer: "lakeFS".into(),
        message: "Repository created".into(),
        metadata: BTreeMap::new(),
        // lakeFS keeps the fraction, which is in no hash.
        time: Time { seconds: 1_600_000_000, nanos: 123_456_789 },
        generation: 1,
        version: 1,
    }
}

fn child(of: &Commit, message: &str) -> Commit {
    Commit { parents: vec![of.id()], message: message.into(), generation: of.generation + 1, ..of.clone() }
}

async fn written(lake: &Lake, labels: Labels, mut records: Vec<Record>) -> braid_types::MetarangeId {
    records.sort_by(|one, other| one.key.cmp(&other.key));
    let format = TreeFormat { min_bytes: 20_000, max_bytes: 60_000, ..TreeFormat::version(1).unwrap() };
    let store: Arc<dyn braid_tree::RangeStore> = lake.world.ranges.clone();
    let mut writer = LabelledWriter::new(store, format, labels);
    for record in &records {
        writer.add(record).await.unwrap();
    }
    writer.finish().await.unwrap()
}

async fn crafted(
    lake: &Lake,
    commits: &[Commit],
    branches: &[(&str, CommitId)],
    tags: &[(&str, CommitId)],
) -> RefsManifest {
    let commits = commits.iter().map(|commit| commit_record(&commit.id(), commit).unwrap()).collect();
    let branches = branches.iter().map(|(name, head)| branch_record(&branch(name), head)).collect();
    let tags = tags.iter().map(|(name, id)| tag_record(&TagName::new(*name).unwrap(), id)).collect();
    RefsManifest {
        commits: written(lake, COMMITS, commits).await,
        branches: written(lake, BRANCHES, branches).await,
        tags: written(lake, TAGS, tags).await,
    }
}

#[tokio::test]
async fn more_references_than_a_transaction_takes_are_restored_in_batches() {
    let lake = Lake::new().await;
    let mut commits = vec![first_commit()];
    for number in 1..1300 {
        commits.push(child(&commits[number - 1], &format!("commit {number}")));
    }
    let ids: Vec<CommitId> = commits.iter().map(Commit::id).collect();
    let names: Vec<String> = (0..1100).map(|number| format!("t{number:04}")).collect();
    let tags: Vec<_> = names.iter().zip(&ids).map(|(name, id)| (name.as_str(), *id)).collect();
    let dump = crafted(&lake, &commits, &[("main", ids[1299]), ("other", ids[3])], &tags).await;
    let mut restore = lake.catalog.restore(request(Some(dump)), &lake.mutation()).await.unwrap();
    let mut words = Vec::new();
    while let Some(event) = restore.next().await.unwrap() {
        if let RestoreEvent::Progress(progress) = event {
            words.push((progress.commits, progress.checked, progress.tags));
        }
    }
    assert!(
        words.is_sorted() && words.contains(&(500, 0, 0)) && words.contains(&(1300, 500, 1100)),
        "{words:?}"
    );
    assert_eq!(seen(&lake).await.2.len(), 1300);
    assert_eq!(lake.branch_head("main").await, ids[1299]);
    let found = lake.catalog.commit_at(&repo(), &expr("t0000")).await.unwrap();
    assert_eq!((found.0, &*found.1), (ids[0], &commits[0]), "the fraction of the time is kept");
    let again = dumped(&lake).await.manifest;
    let other = Lake { catalog: lake.catalog.clone(), world: lake.world.clone() };
    made_again(&other).await;
    restored(&other, request(Some(again))).await.unwrap();
    assert_eq!(dumped(&other).await.manifest, again);
}

/// What a restore of these records says; nothing of it must be visible.
async fn refusal(
    lake: &Lake,
    commits: Vec<Record>,
    branches: Vec<Record>,
    tags: Vec<Record>,
) -> (Code, String) {
    let dump = RefsManifest {
        commits: written(lake, COMMITS, commits).await,
        branches: written(lake, BRANCHES, branches).await,
        tags: written(lake, TAGS, tags).await,
    };
    let before = seen(lake).await;
    let error = restored(lake, request(Some(dump))).await.unwrap_err();
    assert_eq!(seen(lake).await, before);
    (error.code(), error.message().to_owned())
}

#[tokio::test]
async fn records_that_cannot_be_restored_are_refused_by_file_and_name() {
    let lake = Lake::new().await;
    let first = first_commit();
    let (id, unknown) = (first.id(), CommitId::from_bytes([7; 32]));
    let commits = || vec![commit_record(&id, &first).unwrap()];
    let branches = || vec![branch_record(&branch("main"), &id)];
    let renamed = |record: Record, key: &str| Record { key: key.to_owned().into(), ..record };
    let says = |(found, message): (Code, String), code: Code, parts: &[&str]| {
        assert_eq!(found, code, "{message}");
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };

    // Commits: another id, no generation, a wrong generation, a missing parent, another record's key, no protobuf.
    let other = Commit { message: "other".into(), ..first.clone() };
    let wrong = refusal(&lake, vec![commit_record(&id, &other).unwrap()], branches(), vec![]).await;
    says(wrong, Code::Corrupt, &["range '", &format!("record '{id}'"), &other.id().to_hex()]);
    let old = Commit { generation: 0, ..first.clone() };
    let wrong = refusal(&lake, vec![commit_record(&id, &old).unwrap()], branches(), vec![]).await;
    says(wrong, Code::InvalidDump, &["range '", &id.to_hex(), "generation is 0"]);
    for generation in [1, 3] {
        let second = Commit { generation, ..child(&first, "second") };
        let both = [commits(), vec![commit_record(&second.id(), &second).unwrap()]].concat();
        let wrong = refusal(&lake, both, branches(), vec![]).await;
        says(wrong, Code::InvalidDump, &[&second.id().to_hex(), "that of its parents is 1"]);
    }
    let orphan = child(&other, "orphan");
    let both = [commits(), vec![commit_record(&orphan.id(), &orphan).unwrap()]].concat();
    let wrong = refusal(&lake, both, branches(), vec![]).await;
    says(wrong, Code::InvalidDump, &[&orphan.id().to_hex(), "its parent", &other.id().to_hex()]);
    let wrong = refusal(&lake, vec![renamed(commits().remove(0), "00")], branches(), vec![]).await;
    says(wrong, Code::Corrupt, &["record '00'", &format!("it is of '{id}'")]);
    let nonsense = Value::framed(id.to_hex().as_bytes(), b"\xff\xff");
    let nonsense = vec![Record { key: id.to_hex().into(), value: nonsense }];
    says(refusal(&lake, nonsense, branches(), vec![]).await, Code::Corrupt, &[&format!("record '{id}'")]);

    // Branches and tags: a missing commit, a name that breaks the rules, a name twice, another identity.
    let lost = vec![branch_record(&branch("main"), &unknown)];
    let wrong = refusal(&lake, commits(), lost, vec![]).await;
    says(wrong, Code::InvalidDump, &["record 'main'", &unknown.to_hex(), "not in the dump"]);
    let tag = |name: &str, id: &CommitId| tag_record(&TagName::new(name).unwrap(), id);
    let wrong = refusal(&lake, commits(), branches(), vec![tag("v1", &unknown)]).await;
    says(wrong, Code::InvalidDump, &["record 'v1'", "not in the dump"]);
    let wrong = refusal(&lake, commits(), branches(), vec![tag("main", &id)]).await;
    says(wrong, Code::InvalidDump, &["record 'main'", "a branch of the dump has the same name"]);
    let named = vec![tag("bad.name", &id), branches().remove(0)];
    let wrong = refusal(&lake, commits(), named, vec![]).await;
    says(wrong, Code::InvalidDump, &["record 'bad.name'"]);
    let data = tag("v1", &id).value.data().to_vec();
    let forged = Record { key: "v1".into(), value: Value::framed(b"another", &data) };
    says(
        refusal(&lake, commits(), branches(), vec![forged]).await,
        Code::Corrupt,
        &["record 'v1'", "identity"],
    );
}

#[tokio::test]
async fn trees_of_a_dump_in_each_other_s_place_are_refused() {
    let lake = lake().await;
    let RefsManifest { commits, branches, tags } = dumped(&lake).await.manifest;
    made_again(&lake).await;
    let swapped = RefsManifest { commits, branches: tags, tags: branches };
    let error = restored(&lake, request(Some(swapped))).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::Corrupt, &*tags.to_hex()));
    assert!(error.message().contains("its records are 'tag', not 'branch'"), "{error}");
}

#[tokio::test]
async fn a_damaged_or_missing_file_of_a_dump_is_named() {
    let lake = lake().await;
    let known = lake.world.ranges.ids();
    let dump = dumped(&lake).await.manifest;
    made_again(&lake).await;
    let before = seen(&lake).await;
    let files: Vec<[u8; 32]> = lake.world.ranges.ids().into_iter().filter(|id| !known.contains(id)).collect();
    assert!(files.len() >= 6);
    for file in files {
        let sound = lake.world.ranges.bytes(&file);
        let damages: [fn(&mut Vec<u8>); 4] = [
            |file| file[7] ^= 4,
            |file| file.truncate(file.len() / 2),
            |file| file.truncate(file.len() - 1),
            Vec::clear,
        ];
        for damage in damages {
            lake.world.ranges.damage(&file, damage);
            let error = restored(&lake, request(Some(dump))).await.unwrap_err();
            assert_eq!(error.code(), Code::Corrupt, "{error}");
            assert!(error.message().contains(&hex::encode(file)), "{error}");
            assert_eq!(seen(&lake).await, before);
            lake.world.ranges.set(file, sound.clone());
        }
    }
    restored(&lake, request(Some(dump))).await.unwrap();
}

#[tokio::test]
async fn a_damaged_commit_is_not_dumped() {
    let lake = lake().await;
    let id: RepositoryId = lake.catalog.repository(&repo()).await.unwrap().id;
    let head = lake.branch_head("main").await;
    let mut txn = lake.world.kv.begin(braid_kv::Mode::Optimistic).await.unwrap();
    txn.put(record::commit::key(&id, &head), record::commit::encode(&first_commit()));
    assert!(matches!(txn.commit().await, Outcome::Committed(_)));
    let error = lake.restarted();
    let error = try_dump(&error).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::Corrupt, &*head.to_hex()));
}

#[test]
fn records_are_byte_for_byte_those_of_lakefs() {
    let parent = CommitId::from_bytes([0xab; 32]);
    let commit = Commit {
        parents: vec![parent, CommitId::from_bytes([0xcd; 32])],
        metarange: Some(braid_types::MetarangeId::from_bytes([0xee; 32])),
        metadata: BTreeMap::from([("k".into(), "v".into()), ("a".into(), String::new())]),
        generation: 3,
        ..first_commit()
    };
    let text = |id: &str| [&[0x40], id.as_bytes()].concat();
    let id = commit.id().to_hex();
    let expected = [
        &[0x0a][..],
        &text(&id),
        b"\x12\x06lakeFS\x1a\x12Repository created",
        // 1,600,000,000 s and 123,456,789 ns.
        b"\x22\x0b\x08\x80\xa0\xf8\xfa\x05\x10\x95\x9a\xef\x3a",
        b"\x2a",
        &text(&"ee".repeat(32)),
        // An entry of a map leaves out what is empty in prost; lakeFS reads either form.
        b"\x32\x03\x0a\x01a\x32\x06\x0a\x01k\x12\x01v",
        b"\x3a",
        &text(&parent.to_hex()),
        b"\x3a",
        &text(&"cd".repeat(32)),
        b"\x40\x01\x48\x03",
    ]
    .concat();
    let record = commit_record(&commit.id(), &commit).unwrap();
    assert_eq!(record.value.data(), expected);
    assert_eq!((&record.key[..], record.identity()), (id.as_bytes(), id.as_bytes()));
    let tag = tag_record(&TagName::new("v1.0").unwrap(), &parent);
    assert_eq!(tag.value.data(), [b"\x0a\x04v1.0\x12".as_slice(), &text(&parent.to_hex())].concat());
    assert_eq!((&tag.key[..], tag.identity()), (&b"v1.0"[..], parent.to_hex().as_bytes()));
    let main = branch_record(&branch("main"), &parent);
    assert_eq!(main.value.data(), [b"\x0a\x04main\x12".as_slice(), &text(&parent.to_hex())].concat());
}
