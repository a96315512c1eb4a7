//! `put`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use braid_types::{Code, Error};
use braid_wire::proto;
use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::TempDir;

use super::lake::{Lake, Reply};
use super::running::{Ran, braid, ran};
use crate::Exit;

fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

async fn put(lake: &Lake, from: &Path, to: &str, more: &[&str]) -> Ran {
    ran(lake, &[&["put", from.to_str().unwrap(), to], more].concat()).await
}

#[tokio::test]
async fn a_folder_becomes_a_directory() {
    let lake = Lake::start().await;
    let folder = folder(&["a", "b/c", "b/d/é f"]);
    let sent = put(&lake, folder.path(), "braid://lake/main/data", &[]).await;
    assert_eq!(sent.exit, Exit::Done, "{}", sent.stderr);
    let expected = [("data/a", "a"), ("data/b/c", "b/c"), ("data/b/d/é f", "b/d/é f")];
    assert_eq!(lake.objects(), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    assert!(sent.stdout.ends_with("uploaded 3 files (12 B)\n"), "{}", sent.stdout);
}

#[tokio::test]
async fn what_cannot_be_sent_is_named_and_the_rest_is_sent() {
    let lake = Lake::start().await;
    let folder = folder(&["good", "deep/good"]);
    let at = |name: &str| folder.path().join(name);
    mkfifoat(CWD, at("fifo"), Mode::RUSR | Mode::WUSR).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    fs::write(folder.path().join(OsStr::from_bytes(b"latin\xe9")), "").unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    let long = ["x".repeat(255), "y".repeat(255), "z".repeat(255), "w".repeat(255)].join("/");
    fs::create_dir_all(at(&long)).unwrap();
    fs::write(at(&format!("{long}/long")), "").unwrap();
    let sent = put(&lake, folder.path(), "braid://lake/main/", &["--follow"]).await;
    assert_eq!(sent.exit, Exit::Partial);
    assert_eq!(lake.paths(), ["deep/good", "good"]);
    for named in [
        "fifo: it is a named pipe",
        "socket: it is a socket",
        "latin\u{fffd}: its name is not UTF-8",
        "dangling: it cannot be read",
        "/long: path 'xxx",
    ] {
        assert!(sent.stderr.contains(named), "{named} in {}", sent.stderr);
    }
    assert!(sent.stdout.contains("uploaded 2 files (13 B), failed 5"), "{}", sent.stdout);
}

#[tokio::test]
async fn symlinks_are_left_out_unless_they_are_to_be_followed() {
    let lake = Lake::start().await;
    let folder = folder(&["a"]);
    symlink("a", folder.path().join("link")).unwrap();
    let sent = put(&lake, folder.path(), "braid://lake/main/", &[]).await;
    assert_eq!((sent.exit, lake.paths()), (Exit::Done, vec!["a".to_owned()]));
    assert!(sent.stderr.contains("skipped: link: it is a symlink"), "{}", sent.stderr);
    assert!(sent.stdout.contains("uploaded 1 file (1 B), skipped 1"));
    put(&lake, folder.path(), "braid://lake/main/", &["--follow"]).await;
    assert_eq!(lake.paths(), ["a", "link"]);
}

#[tokio::test]
async fn each_batch_is_one_transaction_of_at_most_a_thousand() {
    let lake = Lake::start().await;
    let names: Vec<String> = (0..1_500).map(|number| format!("{number:04}")).collect();
    let folder = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let sent = put(&lake, folder.path(), "braid://lake/main/", &["-q", "--parallel", "3"]).await;
    assert_eq!((sent.exit, sent.stdout.as_str(), sent.stderr.as_str()), (Exit::Done, "", ""));
    assert_eq!(lake.paths(), names);
    let linked: Vec<proto::LinkUploadsRequest> = lake.asked("ObjectService/LinkUploads");
    let mut sizes: Vec<usize> = linked.iter().map(|asked| asked.links.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [500, 1_000]);
    assert_eq!(lake.most_uploads(), 3, "over all batches");
}

#[tokio::test]
async fn files_that_the_server_refuses_are_named_and_the_rest_is_sent() {
    let lake = Lake::start().await.with(&[("there", "old")]);
    lake.refuse("huge");
    let folder = folder(&["a", "huge", "there"]);
    let sent = put(&lake, folder.path(), "braid://lake/main/", &["--no-overwrite"]).await;
    assert_eq!(sent.exit, Exit::Partial);
    assert_eq!(lake.paths(), ["a", "there"]);
    assert!(sent.stderr.contains("failed: huge: 'huge' is too large"), "{}", sent.stderr);
    assert!(sent.stderr.contains("failed: there: there is an object at 'there'"));
}

#[tokio::test]
async fn a_refusal_that_names_no_file_ends_it() {
    let lake = Lake::start().await;
    let missing = Error::new(Code::BranchNotFound, "main", "there is no branch 'main'");
    lake.on("ObjectService/CreateUploads", Reply::error(missing));
    let sent = put(&lake, folder(&["a"]).path(), "braid://lake/main/", &[]).await;
    assert_eq!((sent.exit, sent.stderr.as_str()), (Exit::Refused, "error: there is no branch 'main'\n"));
}

#[tokio::test]
async fn a_file_and_standard_input_become_objects() {
    let lake = Lake::start().await;
    let folder = folder(&["a"]);
    let file = folder.path().join("a");
    put(&lake, &file, "braid://lake/main/d/", &[]).await;
    put(&lake, &file, "braid://lake/main/b", &["--content-type", "text/plain", "--meta", "k=v"]).await;
    let piped = Box::pin(braid(&lake, &["put", "-", "braid://lake/main/c"]).stdin("piped").run()).await;
    assert_eq!(piped.exit, Exit::Done, "{}", piped.stderr);
    let expected = [("b", "a"), ("c", "piped"), ("d/a", "a")];
    assert_eq!(lake.objects(), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let linked: Vec<proto::LinkUploadRequest> = lake.asked("ObjectService/LinkUpload");
    let link = linked[1].link.clone().unwrap();
    assert_eq!((link.content_type.as_str(), link.metadata["k"].as_str()), ("text/plain", "v"));
}

#[tokio::test]
async fn pipes_and_missing_files_are_refused_before_anything_is_asked() {
    let lake = Lake::start().await;
    let folder = folder(&[]);
    mkfifoat(CWD, folder.path().join("fifo"), Mode::RUSR).unwrap();
    let fifo = put(&lake, &folder.path().join("fifo"), "braid://lake/main/a", &[]).await;
    assert_eq!(fifo.exit, Exit::Refused);
    assert!(fifo.stderr.contains("neither a file nor a folder"), "{}", fifo.stderr);
    let gone = put(&lake, &folder.path().join("gone"), "braid://lake/main/a", &[]).await;
    assert!(gone.stderr.contains("No such file"), "{}", gone.stderr);
    assert_eq!(lake.calls(), 0);
}
