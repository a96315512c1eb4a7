//! The command line against a server, as a user goes about it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::server::{Key, Server};

/// A user with a server, and a folder for files.
struct User {
    server: Server,
    key: Key,
    files: TempDir,
    _data: TempDir,
}

impl User {
    async fn new() -> Self {
        let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (server, key) = Server::first(data.path()).await;
        let user = Self { server, key, files, _data: data };
        user.ok("repo create lake");
        user
    }

    fn run(&self, line: &str) -> super::binary::Ended {
        // Words beginning with `@` are files of the user's.
        let words = line.split(' ').map(|word| match word.strip_prefix('@') {
            Some(name) => self.file(name).display().to_string(),
            None => word.replace("lake:", "braid://lake/"),
        });
        let words: Vec<String> = words.collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.key.run(&self.server, &words)
    }

    #[track_caller]
    fn ok(&self, line: &str) -> String {
        self.run(line).ok()
    }

    #[track_caller]
    fn json(&self, line: &str) -> Vec<Value> {
        self.run(&format!("{line} -o json")).json()
    }

    /// The text of this field in each document.
    #[track_caller]
    fn field(&self, line: &str, field: &str) -> Vec<String> {
        let documents = self.json(line);
        documents.iter().map(|document| document[field].as_str().unwrap().to_owned()).collect()
    }

    /// The id of the commit that a command makes.
    #[track_caller]
    fn commit(&self, line: &str) -> String {
        self.field(line, "id").remove(0)
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.files.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.file(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn put(&self, at: &str, text: &str) {
        self.write("to-put", text);
        self.ok(&format!("put @to-put lake:{at}"));
    }
}

fn text(file: impl AsRef<Path>) -> String {
    fs::read_to_string(file).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_become_objects_and_objects_files() {
    let user = User::new().await;
    let files = [("folder/a.csv", "1,2\n"), ("folder/deep/b.csv", "3\n"), ("folder/empty", "")];
    files.iter().for_each(|(name, content)| user.write(name, content));
    let uploaded = user.json("put @folder lake:main/data/ --meta color=red --content-type text/csv");
    assert_eq!(uploaded.last().unwrap()["summary"]["files"], 3);
    let listed = user.json("ls lake:main/data/");
    let paths: Vec<&Value> = listed.iter().map(|line| &line["object"]["path"]).collect();
    assert_eq!(paths, [&"data/a.csv".into(), &Value::Null, &Value::from("data/empty")]);
    assert_eq!(listed[1]["common_prefix"], "data/deep/");
    assert_eq!(user.ok("cat lake:main/data/deep/b.csv"), "3\n");
    let object = user.json("stat lake:main/data/a.csv").remove(0);
    assert_eq!((&object["size"], &object["content_type"]), (&4.into(), &"text/csv".into()));
    assert_eq!(object["metadata"]["color"], "red");

    user.ok("commit lake:main -m First");
    user.ok("rm lake:main/data/a.csv");
    user.run("cat lake:main/data/a.csv").refused(1, &["data/a.csv"]);
    assert_eq!(user.ok("cat lake:main@/data/a.csv"), "1,2\n", "what is committed stays");
    user.ok("get lake:main@/data/ @back");
    for (name, content) in files {
        assert_eq!(text(user.file(&name.replace("folder", "back"))), content);
    }
    user.ok("get lake:main/data/deep/b.csv @single");
    assert_eq!(text(user.file("single")), "3\n");
    user.ok("rm -r lake:main/data/ --yes");
    assert_eq!(user.ok("ls -r lake:main/"), "");
    user.ok("branch reset lake:main --yes");
    assert_eq!(user.json("ls -r lake:main/").len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_is_made_shown_and_taken_back() {
    let user = User::new().await;
    user.put("main/a", "1");
    assert_eq!(user.ok("diff lake:main"), "+ a\n");
    let first = user.commit("commit lake:main -m First --meta job=42");
    assert_eq!(user.ok("diff lake:main"), "");
    let shown = user.json("show lake:main");
    assert_eq!((&shown[0]["id"], &shown[0]["metadata"]["job"]), (&first.clone().into(), &"42".into()));
    assert_eq!((&shown[1]["path"], &shown[1]["kind"]), (&"a".into(), &"added".into()));
    user.put("main/a", "2");
    let second = user.commit("commit lake:main -m Second");
    user.ok("tag create lake:v1 main");
    assert_eq!(user.field("tag show lake:v1", "commit_id"), std::slice::from_ref(&second));

    let reverted = user.commit("revert lake:main main");
    assert_eq!(user.ok("cat lake:main/a"), "1");
    assert_eq!(user.ok("cat lake:v1/a"), "2");
    let picked = user.commit("cherry-pick lake:main v1");
    assert_eq!(user.ok("cat lake:main/a"), "2");
    let log = user.field("log lake:main", "id");
    assert_eq!(log[..4], [picked, reverted, second, first]);
    assert_eq!(log.len(), 5, "and the first one, which is empty");
    assert_eq!(user.field("log lake:main --limit 1", "id"), log[..1]);
    assert_eq!(user.field("tag list lake", "name"), ["v1"]);
    user.ok("tag delete lake:v1");
    assert_eq!(user.ok("tag list lake"), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_diverge_and_merge() {
    let user = User::new().await;
    user.put("main/a", "1");
    let base = user.commit("commit lake:main -m Base");
    user.ok("branch create lake:side --from main");
    user.put("side/a", "side");
    user.put("side/b", "side");
    user.ok("commit lake:side -m Side");
    assert_eq!(user.ok("merge-base lake:main side").trim(), base);
    assert_eq!(user.ok("diff lake:main side"), "~ a\n+ b\n");

    user.ok("branch create lake:rival --from main");
    user.put("rival/a", "rival");
    user.ok("commit lake:rival -m Rival");
    let merged = user.commit("merge lake:side main");
    let head = user.json("show lake:main").remove(0);
    assert_eq!((&head["id"], head["parents"].as_array().unwrap().len()), (&merged.clone().into(), 2));
    let before = user.ok("log lake:main");
    let conflict = user.run("merge lake:rival main");
    conflict.refused(1, &["--strategy source-wins"]);
    assert!(conflict.stdout.contains("conflict: a "), "{conflict:?}");
    assert_eq!(user.ok("log lake:main"), before, "a merge in conflict changes nothing");
    user.ok("merge lake:rival main --strategy source-wins");
    assert_eq!((&*user.ok("cat lake:main/a"), &*user.ok("cat lake:main/b")), ("rival", "side"));
    user.run("revert lake:main main").refused(1, &["--parent 1"]);
    user.ok("revert lake:main main --parent 1");
    assert_eq!(user.ok("cat lake:main/a"), "side");

    user.ok("branch delete lake:rival --yes");
    assert_eq!(user.field("branch list lake", "name"), ["main", "side"]);
    assert_eq!(user.field("repo list", "name"), ["lake"]);
    assert_eq!(user.field("repo show lake", "default_branch"), ["main"]);
    user.ok("repo delete lake --yes");
    user.run("ls lake:main/").refused(1, &["lake"]);
}
