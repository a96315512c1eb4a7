//! `get` and `cat`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use braid_types::{Code, Error};
use braid_wire::proto;
use tempfile::TempDir;

use super::lake::{Lake, Reply};
use super::running::{Ran, braid, ran};
use crate::Exit;

/// Every file below `folder` with its text, hidden ones too.
fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_iter().map(|(name, _)| name).collect()
}

fn target() -> (TempDir, String) {
    let outer = tempfile::tempdir().unwrap();
    let target = outer.path().join("in");
    fs::create_dir(&target).unwrap();
    let shown = target.to_str().unwrap().to_owned();
    (outer, shown)
}

async fn get(lake: &Lake, from: &str, to: &str) -> Ran {
    ran(lake, &["get", from, to]).await
}

#[tokio::test]
async fn a_directory_becomes_a_folder() {
    let lake =
        Lake::start().await.with(&[("data/a", "1"), ("data/b/c", "two"), ("data/b/d", ""), ("other", "x")]);
    let (outer, target) = target();
    let got = get(&lake, "braid://lake/main/data/", &target).await;
    assert_eq!(got.exit, Exit::Done, "{}", got.stderr);
    let expected = [("in/a", "1"), ("in/b/c", "two"), ("in/b/d", "")];
    assert_eq!(files(outer.path()), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert!(got.stdout.ends_with("downloaded 3 files (4 B)\n"), "{}", got.stdout);
    assert!(got.lines().contains(&"data/b/c (3 B)"));
}

#[tokio::test]
async fn hostile_names_are_refused_by_name_and_the_rest_is_fetched() {
    let long = format!("p/{}", "x".repeat(256));
    let hostile = [
        "p/",
        "p/../up",
        "p/.",
        "p//etc/x",
        "p/a//b",
        "p/d/",
        "p/f/g",
        "p/n\0",
        "p/..",
        "p/s/../../../up",
        &long,
    ];
    let good = ["p/f", "p/ok", "p/z/..x", "p/\\..\\x"];
    let objects: Vec<(&str, &str)> = hostile.iter().chain(&good).map(|path| (*path, "data")).collect();
    let lake = Lake::start().await.with(&objects);
    let (outer, target) = target();
    let got = get(&lake, "braid://lake/main/p/", &target).await;
    assert_eq!(got.exit, Exit::Partial);
    assert_eq!(names(outer.path()), ["in/\\..\\x", "in/f", "in/ok", "in/z/..x"]);
    for path in hostile {
        let shown = path.replace('\0', "\\u{0}");
        assert!(got.stderr.contains(&format!("failed: {shown}: ")), "{shown} in {}", got.stderr);
    }
    assert!(got.stdout.contains(&format!("downloaded 4 files (16 B), failed {}", hostile.len())));
}

#[tokio::test]
async fn what_is_in_the_way_is_named_and_kept() {
    let lake =
        Lake::start().await.with(&[("folder", "new"), ("link", "new"), ("out/x", "new"), ("plain", "new")]);
    let (outer, target) = target();
    let inside = Path::new(&target);
    fs::create_dir(inside.join("folder")).unwrap();
    fs::write(outer.path().join("secret"), "old").unwrap();
    symlink(outer.path().join("secret"), inside.join("link")).unwrap();
    symlink(outer.path(), inside.join("out")).unwrap();
    fs::write(inside.join("plain"), "old").unwrap();
    let got = get(&lake, "braid://lake/main", &target).await;
    assert_eq!(got.exit, Exit::Partial);
    assert!(got.stderr.contains("failed: folder: a folder is in its way"), "{}", got.stderr);
    assert!(got.stderr.contains("failed: link: a symlink is in its way"));
    assert!(got.stderr.contains("failed: out/x: 'out' in its name is a symlink here"));
    let expected = [("in/plain", "new"), ("secret", "old")];
    assert_eq!(files(outer.path()), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
}

#[tokio::test]
async fn an_interrupt_leaves_no_half_file() {
    let lake = Lake::start().await.with(&[("d/big", "0123456789"), ("d/old", "0123456789")]);
    lake.stall("d/big");
    lake.stall("d/old");
    let (outer, target) = target();
    fs::write(Path::new(&target).join("old"), "kept").unwrap();
    let (told, begun) = (Arc::clone(&lake.half_sent), outer.path().to_owned());
    let interrupted = async move {
        told.acquire_many(2).await.unwrap().forget();
        assert_eq!(names(&begun).len(), 3, "two are being written beside the old one");
    };
    let got = braid(&lake, &["get", "braid://lake/main/d/", &target]).interrupted(interrupted);
    let got = Box::pin(got.run()).await;
    assert_eq!((got.exit, got.stderr.as_str()), (Exit::Interrupted, "error: interrupted\n"));
    assert_eq!(files(outer.path()), [("in/old".to_owned(), "kept".to_owned())]);
}

#[tokio::test]
async fn wrong_data_gets_no_name() {
    let lake = Lake::start().await.with(&[("d/bad", "data"), ("d/good", "data")]);
    lake.corrupt("d/bad");
    let (outer, target) = target();
    let got = get(&lake, "braid://lake/main/d/", &target).await;
    assert_eq!(got.exit, Exit::Partial);
    assert!(
        got.stderr.contains("failed: d/bad: the data of 'd/bad' is not what its entry says"),
        "{}",
        got.stderr
    );
    assert_eq!(names(outer.path()), ["in/good"]);

    let alone = get(&lake, "braid://lake/main/d/bad", &target).await;
    assert_eq!(alone.exit, Exit::Refused);
    assert_eq!(names(outer.path()), ["in/good"]);
}

#[tokio::test]
async fn one_object_goes_to_a_file_a_folder_or_standard_output() {
    let lake = Lake::start().await.with(&[("d/a", "data")]);
    let (outer, target) = target();
    let file = format!("{target}/b");
    for to in [&target, &file] {
        assert_eq!(get(&lake, "braid://lake/main/d/a", to).await.exit, Exit::Done);
    }
    assert_eq!(names(outer.path()), ["in/a", "in/b"]);
    for words in [["get", "braid://lake/main/d/a", "-"], ["cat", "braid://lake/main/d/a", "--quiet"]] {
        assert_eq!(ran(&lake, &words).await.stdout, "data");
    }
    let missing = get(&lake, "braid://lake/main/d/a", &format!("{target}/no/b")).await;
    assert_eq!(missing.exit, Exit::Refused);
    assert!(missing.stderr.contains("cannot open folder"), "{}", missing.stderr);
}

#[tokio::test]
async fn one_object_has_no_name_that_leads_elsewhere() {
    let lake = Lake::start().await.with(&[("d/..", "data")]);
    let (outer, target) = target();
    let got = get(&lake, "braid://lake/main/d/..", &target).await;
    assert_eq!(got.exit, Exit::Refused);
    assert!(got.stderr.contains("'..' in its name would lead elsewhere"), "{}", got.stderr);
    assert_eq!(get(&lake, "braid://lake/main/d/..", &format!("{target}/named")).await.exit, Exit::Done);
    assert_eq!(names(outer.path()), ["in/named"]);
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_written() {
    let lake = Lake::start().await.with(&[("d/a", "1")]);
    let (outer, target) = target();
    let unasked = first_download(&lake);
    lake.on("ObjectService/StreamDownloads", unasked);
    let got = get(&lake, "braid://lake/main/x/", &target).await;
    assert_eq!(got.exit, Exit::Partial);
    assert!(got.stderr.contains("failed: d/a: the server sent it unasked"), "{}", got.stderr);
    assert!(names(outer.path()).is_empty());
}

#[tokio::test]
async fn a_path_without_object_is_a_directory_or_missing() {
    let lake = Lake::start().await.with(&[("d/a", "data")]);
    let (outer, target) = target();
    assert_eq!(get(&lake, "braid://lake/main/d", &target).await.exit, Exit::Done);
    assert_eq!(names(outer.path()), ["in/a"]);
    let missing = get(&lake, "braid://lake/main/x", &target).await;
    assert_eq!((missing.exit, missing.stderr.as_str()), (Exit::Refused, "error: there is no object 'x'\n"));
    let empty = get(&lake, "braid://lake/main/x/", &target).await;
    assert!(empty.stderr.contains("there is nothing under 'braid://lake/main/x/'"), "{}", empty.stderr);
}

#[tokio::test]
async fn a_broken_stream_goes_on_and_a_branch_is_said_to_have_moved() {
    let lake = Lake::start().await.with(&[("d/a", "1"), ("d/b", "2")]);
    let (outer, target) = target();
    let first = Lake::start().await.with(&[("d/a", "1")]);
    let downloads = first_download(&first);
    lake.on(
        "ObjectService/StreamDownloads",
        downloads.then(Error::new(Code::SnapshotExpired, "", "too old")),
    );
    let got = get(&lake, "braid://lake/main/d/", &target).await;
    assert_eq!(got.exit, Exit::Done, "{}", got.stderr);
    assert_eq!(names(outer.path()), ["in/a", "in/b"]);
    assert!(got.stderr.contains("later files are of a later state"));
    let asked: Vec<proto::StreamDownloadsRequest> = lake.asked("ObjectService/StreamDownloads");
    assert_eq!(asked.iter().map(|asked| asked.after.as_str()).collect::<Vec<_>>(), ["", "d/a"]);
}

fn first_download(lake: &Lake) -> Reply {
    let object = proto::Object {
        path: "d/a".into(),
        physical_address: "mem://lake/k1".into(),
        size: 1,
        checksum: "tag-k1".into(),
        mtime: Some(prost_types::Timestamp::default()),
        ..proto::Object::default()
    };
    let expires_at = Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 });
    let url = format!("{}/data/k1", lake.endpoint());
    let downloads = vec![proto::Download { object: Some(object), url, expires_at }];
    Reply::ok(&proto::StreamDownloadsResponse { downloads })
}

#[tokio::test]
async fn what_is_not_a_branch_is_pinned_to_its_commit() {
    let lake = Lake::start().await.with(&[("d/a", "1")]);
    let (_outer, target) = target();
    for (reference, asked_for) in
        [("main", "main".to_owned()), ("main$", "main$".to_owned()), ("main@", "c".repeat(64))]
    {
        assert_eq!(get(&lake, &format!("braid://lake/{reference}/d/"), &target).await.exit, Exit::Done);
        let asked: Vec<proto::StreamDownloadsRequest> = lake.asked("ObjectService/StreamDownloads");
        assert_eq!(asked.last().unwrap().reference, asked_for);
    }
}
