//! Bad input: refused with a clear message, and without any effect.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use braid_client::{Client, ListObjects};
use braid_types::{Code, PathPrefix};
use futures::TryStreamExt;

use super::binary::Ended;
use super::server::{Key, Server};
use crate::lake::{
    branch, commit, create_branch, create_lake, history, lake, listing, path, reference, write,
};

/// A server with a commit and something staged on `main`, and a clean branch `side`.
struct Used {
    server: Server,
    key: Key,
    data: tempfile::TempDir,
}

impl Used {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (server, key) = Server::first(data.path()).await;
        let client = key.client(&server);
        create_lake(&client).await;
        for number in 0..4 {
            write(&client, "main", &format!("committed/{number}"), "1").await;
        }
        commit(&client, "main").await.unwrap();
        create_branch(&client, "side", "main").await;
        write(&client, "main", "staged", "1").await;
        Self { server, key, data }
    }

    fn client(&self) -> Client {
        self.key.client(&self.server)
    }

    /// Runs a command that must be refused, saying this, and change nothing.
    async fn refused(&self, code: i32, arguments: &[&str], said: &[&str]) {
        let before = state(&self.client()).await;
        let ended = self.key.run(&self.server, arguments);
        ended.refused(code, said);
        assert_eq!(state(&self.client()).await, before, "{ended:?}");
    }
}

/// All that a user can see of the repository.
async fn state(client: &Client) -> String {
    let branches: Vec<_> = client.branches(&lake(), "").try_collect().await.unwrap();
    let tags: Vec<_> = client.tags(&lake(), "").try_collect().await.unwrap();
    let (main, side) = (listing(client, "main").await, listing(client, "side").await);
    let log = history(client, "main").await;
    format!("{branches:?} {tags:?} {main:?} {side:?} {log:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_named() {
    let used = Used::new().await;
    used.refused(1, &["ls", "braid://lake/nowhere/"], &["'nowhere'"]).await;
    used.refused(1, &["ls", "braid://pond/main/"], &["'pond'"]).await;
    used.refused(1, &["commit", "braid://lake/nowhere", "-m", "x"], &["'nowhere'"]).await;
    used.refused(1, &["merge", "braid://lake/nowhere", "side"], &["'nowhere'"]).await;
    used.refused(1, &["tag", "create", "braid://lake/v1", "nowhere"], &["'nowhere'"]).await;
    used.refused(1, &["cat", "braid://lake/main/none"], &["'none'"]).await;
    used.refused(1, &["rm", "braid://lake/main/none"], &["'braid://lake/main/none'"]).await;
    used.refused(1, &["get", "braid://lake/main/none"], &["none"]).await;
    used.refused(1, &["put", "/nowhere/at/all", "braid://lake/main/x"], &["'/nowhere/at/all'"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_refused() {
    let used = Used::new().await;
    used.refused(1, &["commit", "braid://lake/side", "-m", "x"], &["error: ", "--allow-empty"]).await;
    used.refused(1, &["branch", "delete", "braid://lake/main", "--yes"], &["default branch"]).await;
    used.refused(1, &["merge", "braid://lake/main", "main"], &["'main'"]).await;
    used.refused(1, &["merge", "braid://lake/side", "main"], &["uncommitted"]).await;
    used.refused(1, &["branch", "create", "braid://lake/side"], &["'side'"]).await;
    used.refused(2, &["commit", "braid://lake/main"], &["--message"]).await;
    used.refused(2, &["ls", "lake/main"], &["braid://repository/ref/path"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_without_the_right_key_gets_in() {
    let used = Used::new().await;
    let before = state(&used.client()).await;
    let endpoint = format!("http://{}", used.server.grpc);
    let mut wrong = used.key.secret.clone();
    let last = wrong.pop().unwrap();
    wrong.push(if last == 'A' { 'B' } else { 'A' });
    let keys: [&[(&str, &str)]; 3] = [
        &[],
        &[("BRAID_ACCESS_KEY_ID", &used.key.id), ("BRAID_SECRET_ACCESS_KEY", &wrong)],
        &[("BRAID_ACCESS_KEY_ID", "BRDAUNKNOWN"), ("BRAID_SECRET_ACCESS_KEY", &used.key.secret)],
    ];
    for key in keys {
        let environment: Vec<(&str, &str)> =
            [("BRAID_ENDPOINT", &*endpoint)].into_iter().chain(key.iter().copied()).collect();
        for line in ["repo list", "ls braid://lake/main/", "commit braid://lake/main -m x"] {
            let words: Vec<&str> = line.split(' ').collect();
            let ended: Ended = super::binary::run(&words, &environment);
            ended.refused(1, &["hint: set BRAID_ACCESS_KEY_ID"]);
            assert_eq!(ended.stdout, "");
            assert!(!ended.stderr.contains(&wrong));
        }
    }
    assert_eq!(state(&used.client()).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_named() {
    let used = Used::new().await;
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("file");
    fs::write(&file, "1").unwrap();
    let file = file.to_str().unwrap();
    let long = format!("braid://lake/main/{}", "p".repeat(1025));
    used.refused(1, &["put", file, &long], &["1024"]).await;
    let metadata = format!("k={}", "v".repeat(64 << 10));
    used.refused(1, &["put", file, "braid://lake/main/x", "--meta", &metadata], &["65536"]).await;
    used.refused(1, &["commit", "braid://lake/main", "-m", "x", "--meta", &metadata], &["65536"]).await;

    let before = state(&used.client()).await;
    let mut paths: Vec<_> = (0..10_000).map(|number| path(&number.to_string())).collect();
    paths.push(path("committed/0"));
    let error = used.client().delete_objects(&lake(), &branch("main"), paths).await.unwrap_err();
    assert_eq!(error.code(), Code::LimitExceeded);
    assert!(error.message().contains("10001") && error.message().contains("10000"), "{error}");
    assert_eq!(state(&used.client()).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_cannot_be_uploaded_are_named_and_the_rest_is_uploaded() {
    let used = Used::new().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good"), "1").unwrap();
    fs::write(folder.path().join(OsStr::from_bytes(b"bad\xff")), "1").unwrap();
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    let source = folder.path().to_str().unwrap();
    let ended = used.key.run(&used.server, &["put", "--follow", source, "braid://lake/main/up/"]);
    ended.refused(3, &["failed: bad", "its name is not UTF-8", "failed: dangling: it cannot be read"]);
    let found = listing(&used.client(), "main").await;
    let uploaded: Vec<&String> = found.keys().filter(|path| path.starts_with("up/")).collect();
    assert_eq!(uploaded, ["up/good"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_tokens_are_for_their_own_list_and_do_not_outlive_the_process() {
    let used = Used::new().await;
    let page = |prefix: &str, page_token: Option<String>| ListObjects {
        repository: lake(),
        reference: reference("main"),
        prefix: PathPrefix::new(prefix).unwrap(),
        delimiter: None,
        after: None,
        page_size: Some(2),
        page_token,
    };
    let client = used.client();
    let token = client.list_objects(page("", None)).await.unwrap().next_page_token.unwrap();
    let next = client.list_objects(page("", Some(token.clone()))).await.unwrap();
    assert_eq!(next.items.len(), 2);
    for foreign in [page("committed/", Some(token.clone())), page("", Some("nonsense".into()))] {
        let error = client.list_objects(foreign).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidPageToken, "{error}");
    }
    let Used { server, key, data } = used;
    server.terminate().await;
    let server = Server::start(data.path()).await;
    let client = key.client(&server);
    write(&client, "main", "later", "1").await;
    let error = client.list_objects(page("", Some(token))).await.unwrap_err();
    assert_eq!(error.code(), Code::SnapshotExpired, "{error}");
}
