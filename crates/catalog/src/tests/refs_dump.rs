//! Dumps of references, and restoring them.

mod costs;
mod dying;
mod of_lakefs;
mod refusing;

use std::collections::BTreeMap;
use std::sync::Arc;

use braid_kv::{KeyRange, ScanOptions};
use braid_tree::{LabelledWriter, Labels, Record, TreeFormat};
use braid_types::{Code, Commit, CommitId, RepositoryName, Result, TagName, Time};

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
        after: None,
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
    // Results of requests stay for a day, stripes of fences and dropped tokens for a while, leases for good.
    let stays = |key: &[u8]| b"qfsl".contains(&key[0]) || key.starts_with(b"it") || key.starts_with(b"if");
    rows.iter().filter(|(key, _)| !stays(key)).count()
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
    lake.clean_up().await;
    lake.clean_up().await;
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
