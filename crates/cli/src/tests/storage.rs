//! `du`, `diff --directories` and `fsck`.

use braid_types::{Code, Error};
use braid_wire::proto;

use super::lake::{Lake, Reply};
use super::running::{braid, ran};
use crate::Exit;

fn usage(prefix: &str, objects: u64, bytes: u64) -> proto::PrefixUsage {
    proto::PrefixUsage { prefix: prefix.into(), usage: Some(proto::Usage { objects, bytes }) }
}

#[tokio::test]
async fn how_much_there_is_is_asked_once_and_shown_by_address() {
    let lake = Lake::start().await;
    for _ in 0..2 {
        lake.on("ObjectService/GetUsage", Reply::ok(&proto::Usage { objects: 1, bytes: 1_572_864 }));
    }
    let shown = ran(&lake, &["du", "braid://lake/v1~2/a/b"]).await;
    assert_eq!(shown.stdout, "     1.5 MiB          1 object  braid://lake/v1~2/a/b\n");
    let json = ran(&lake, &["du", "braid://lake/main", "-o", "json"]).await.json();
    assert_eq!(json, [serde_json::json!({"prefix": "", "objects": 1, "bytes": 1_572_864})]);
    let asked: Vec<proto::GetUsageRequest> = lake.asked("ObjectService/GetUsage");
    assert_eq!((asked[0].reference.as_str(), asked[0].prefix.as_str()), ("v1~2", "a/b"));
    assert_eq!((lake.calls(), asked[1].prefix.as_str()), (2, ""));
}

#[tokio::test]
async fn directories_come_before_their_sum() {
    let lake = Lake::start().await;
    let prefixes = vec![usage("d/a/", 2, 10), usage("d/b/", 12, 2000), usage("d/", 15, 2011)];
    lake.on("ObjectService/StreamUsage", Reply::ok(&proto::StreamUsageResponse { prefixes }));
    let shown = ran(&lake, &["du", "-d", "braid://lake/main/d/", "--bytes"]).await;
    assert_eq!(
        shown.lines(),
        [
            "          10         2 objects  braid://lake/main/d/a/",
            "        2000        12 objects  braid://lake/main/d/b/",
            "        2011        15 objects  braid://lake/main/d/",
        ]
    );
    let asked = lake.asked::<proto::StreamUsageRequest>("ObjectService/StreamUsage").remove(0);
    assert_eq!((asked.prefix.as_str(), asked.delimiter.as_str()), ("d/", "/"));
    lake.on("ObjectService/StreamUsage", Reply::error(Error::new(Code::RefNotFound, "x", "no 'x'")));
    let refused = ran(&lake, &["du", "-d", "braid://lake/x/"]).await;
    assert_eq!((refused.exit, refused.stderr.as_str()), (Exit::Refused, "error: no 'x'\n"));
}

#[tokio::test]
async fn differences_are_counted_by_directory() {
    use proto::diff_item::Item;
    let lake = Lake::start().await;
    let rolled = |prefix: &str, [added, removed, changed]: [u64; 3]| {
        Item::CommonPrefix(proto::PrefixChanges { prefix: prefix.into(), added, removed, changed })
    };
    let entry = proto::DiffEntry {
        path: "p/x".into(),
        kind: proto::DiffKind::Removed.into(),
        ..proto::DiffEntry::default()
    };
    let items =
        [rolled("p/a/", [3, 0, 0]), rolled("p/b/", [0, 1, 0]), rolled("p/c/", [1, 1, 0]), Item::Entry(entry)];
    let items = items.map(|item| proto::DiffItem { item: Some(item) });
    for method in ["CommitService/Diff", "CommitService/DiffBranch"] {
        lake.on(method, Reply::ok(&proto::DiffResponse { items: items.clone().into() }));
    }
    let shown = ran(&lake, &["diff", "braid://lake/main", "x", "-d", "--prefix", "p/"]).await;
    assert_eq!(
        shown.lines(),
        [
            "+ p/a/  (3 added, 0 removed, 0 changed)",
            "- p/b/  (0 added, 1 removed, 0 changed)",
            "~ p/c/  (1 added, 1 removed, 0 changed)",
            "- p/x",
        ]
    );
    let asked = lake.asked::<proto::DiffRequest>("CommitService/Diff").remove(0);
    assert_eq!((asked.delimiter.as_str(), asked.after.as_str()), ("/", ""));
    let json = ran(&lake, &["diff", "braid://lake/main", "--directories", "-o", "json"]).await.json();
    let first = serde_json::json!({"common_prefix": "p/a/", "added": 3, "removed": 0, "changed": 0});
    assert_eq!((&json[0], json[3]["kind"].as_str()), (&first, Some("removed")));
    let asked = lake.asked::<proto::DiffBranchRequest>("CommitService/DiffBranch").remove(0);
    assert_eq!(asked.delimiter, "/");
}

fn progress(files: u64, faults: u64) -> proto::FsckEvent {
    let progress = proto::FsckProgress {
        commits: 2,
        trees: 1,
        files,
        files_total: 3,
        bytes: 2048,
        entries: 100,
        faults,
    };
    proto::FsckEvent { event: Some(proto::fsck_event::Event::Progress(progress)) }
}

fn fault(kind: proto::FaultSubject, subject: &str, offset: Option<u64>) -> proto::FsckEvent {
    let fault = proto::FsckFault {
        kind: kind.into(),
        subject: subject.into(),
        offset,
        what: "it is b\u{1b}ad".into(),
    };
    proto::FsckEvent { event: Some(proto::fsck_event::Event::Fault(fault)) }
}

fn found(events: Vec<proto::FsckEvent>) -> Reply {
    Reply::ok(&proto::FsckResponse { events })
}

#[tokio::test]
async fn a_sound_repository_is_said_to_be() {
    let lake = Lake::start().await;
    for _ in 0..2 {
        lake.on("RepositoryService/Fsck", found(vec![progress(1, 0), progress(3, 0)]));
    }
    let sound = ran(&lake, &["fsck", "lake"]).await;
    let said = "checked 2 commits, 1 tree, 3 files (2.0 KiB, entries: 100): no fault\n";
    assert_eq!((sound.exit, sound.stdout.as_str(), sound.stderr.as_str()), (Exit::Done, said, ""));
    let quiet = ran(&lake, &["fsck", "braid://lake", "main~1", "--history", "-q"]).await;
    assert_eq!((quiet.exit, quiet.stdout.as_str()), (Exit::Done, ""));
    let asked: Vec<proto::FsckRequest> = lake.asked("RepositoryService/Fsck");
    assert_eq!((asked[0].reference.as_str(), asked[0].history), ("", false));
    assert_eq!((asked[1].reference.as_str(), asked[1].history), ("main~1", true));
}

#[tokio::test]
async fn faults_are_named_and_change_the_exit_code() {
    use proto::FaultSubject::{Branch, Commit, File, Tag};
    let lake = Lake::start().await;
    let events = || {
        vec![
            fault(Branch, "main", None),
            fault(File, "s3://b/_lakefs/aa", Some(17)),
            progress(3, 2),
            fault(Commit, "cc", None),
            fault(Tag, "v1", None),
        ]
    };
    for _ in 0..2 {
        lake.on("RepositoryService/Fsck", found(events()));
    }
    let faulty = ran(&lake, &["fsck", "lake", "-q"]).await;
    assert_eq!((faulty.exit, faulty.exit.code()), (Exit::Faulty, 4));
    assert_eq!(
        faulty.lines(),
        [
            "fault: branch main: it is b\\u{1b}ad",
            "fault: file s3://b/_lakefs/aa at byte 17: it is b\\u{1b}ad",
            "fault: commit cc: it is b\\u{1b}ad",
            "fault: tag v1: it is b\\u{1b}ad",
        ]
    );
    let json = ran(&lake, &["fsck", "lake", "-o", "json"]).await.json();
    let expected = serde_json::json!({"fault": {
        "kind": "file", "subject": "s3://b/_lakefs/aa", "offset": 17, "what": "it is b\u{1b}ad",
    }});
    assert_eq!((json.len(), &json[1]), (5, &expected));
    assert_eq!(
        (&json[0]["fault"]["offset"], &json[4]["summary"]["faults"]),
        (&serde_json::Value::Null, &4.into())
    );
}

#[tokio::test]
async fn a_check_that_breaks_off_is_no_sound_one() {
    let lake = Lake::start().await;
    let broken = Error::new(Code::Unavailable, "server", "the server is shutting down");
    lake.on("RepositoryService/Fsck", found(vec![fault(proto::FaultSubject::Tag, "v1", None)]).then(broken));
    let ended = ran(&lake, &["fsck", "lake"]).await;
    assert_eq!((ended.exit, ended.lines().len()), (Exit::Refused, 1));
    assert!(ended.stderr.contains("the server is shutting down"), "{}", ended.stderr);
    lake.on("RepositoryService/Fsck", found(vec![fault(proto::FaultSubject::Tag, "v1", None)]));
    let watched = Box::pin(braid(&lake, &["fsck", "lake"]).answering("").run()).await;
    assert_eq!((watched.exit, watched.lines().len()), (Exit::Faulty, 2));
}
