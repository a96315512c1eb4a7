//! How failures are told.

use std::io;

use braid_types::{Code, Error};
use braid_wire::proto;
use clap::{CommandFactory, Parser};

use super::lake::{Lake, Reply};
use super::running::{braid, ran};
use crate::{Cli, Exit};

#[tokio::test]
async fn failures_have_a_message_a_hint_and_for_programs_their_facts() {
    let lake = Lake::start().await;
    let dirty = || Reply::error(Error::new(Code::DirtyBranch, "main", "branch 'main' has changes\u{1b}"));
    lake.on("CommitService/Merge", dirty());
    lake.on("CommitService/Merge", dirty());
    let words = ["merge", "braid://lake/x", "main"];
    let text = ran(&lake, &words).await;
    assert_eq!(text.exit, Exit::Refused);
    let expected = "error: branch 'main' has changes\\u{1b}\nhint: commit the branch's changes, or drop them with `braid branch reset`\n";
    assert_eq!(text.stderr, expected);
    let json = ran(&lake, &[&words[..], &["-o", "json"]].concat()).await;
    assert_eq!(json.stdout, "");
    assert_eq!(
        json.error(),
        serde_json::json!({
            "code": "dirty_branch", "subject": "main", "message": "branch 'main' has changes\u{1b}",
            "retryable": false, "may_have_happened": false,
        })
    );
}

#[tokio::test]
async fn conflicts_are_all_listed_with_what_each_side_did() {
    let lake = Lake::start().await;
    let object = |path: &str| {
        Some(proto::Object {
            path: path.to_owned(),
            mtime: Some(prost_types::Timestamp::default()),
            ..proto::Object::default()
        })
    };
    let conflicts = vec![
        proto::MergeConflict { path: "a".into(), base: object("a"), source: object("a"), destination: None },
        proto::MergeConflict { path: "b".into(), base: None, source: object("b"), destination: object("b") },
    ];
    for _ in 0..2 {
        lake.on("CommitService/Merge", Reply::error(Error::new(Code::MergeConflict, "a", "2 conflicts")));
        let listed = proto::ListMergeConflictsResponse { conflicts: conflicts.clone() };
        lake.on("CommitService/ListMergeConflicts", Reply::ok(&listed));
    }
    let words = ["merge", "braid://lake/x~1", "main"];
    let text = ran(&lake, &words).await;
    assert_eq!(text.exit, Exit::Refused);
    assert_eq!(
        text.lines(),
        [
            "conflict: a (changed in the source, removed in the branch)",
            "conflict: b (added in the source, added in the branch)",
        ]
    );
    assert!(text.stderr.contains("--strategy source-wins"), "{}", text.stderr);
    let json = ran(&lake, &[&words[..], &["-o", "json"]].concat()).await;
    assert_eq!(json.json()[0]["destination_did"], "removed");
    assert_eq!(json.error()["code"], "merge_conflict");
    let asked: Vec<proto::ListMergeConflictsRequest> = lake.asked("CommitService/ListMergeConflicts");
    assert_eq!((asked[0].source.as_str(), asked[0].destination.as_str()), ("x~1", "main"));
}

#[tokio::test]
async fn settings_that_make_no_sense_are_usage_errors() {
    let lake = Lake::start().await;
    let missing = ran(&lake, &["whoami", "--config", "/nonexistent/braid.toml"]).await;
    assert_eq!(missing.exit, Exit::Usage);
    let half = ran(&lake, &["whoami", "--access-key-id", "AKIA", "-o", "json"]).await;
    assert_eq!((half.exit, half.error()["code"].as_str()), (Exit::Usage, Some("usage")));
    let wrong = ran(&lake, &["whoami", "--endpoint", "nonsense"]).await;
    assert!(wrong.stderr.contains("endpoint 'nonsense' cannot be used"), "{}", wrong.stderr);
    assert_eq!(lake.calls(), 0);
}

#[tokio::test]
async fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
    let lake = Lake::start().await.with(&[("a", "data")]);
    for words in [["ls", "braid://lake/main"], ["cat", "braid://lake/main/a"]] {
        let closed = Box::pin(braid(&lake, &words).stdout_fails(io::ErrorKind::BrokenPipe).run()).await;
        assert_eq!((closed.exit, closed.stderr.as_str()), (Exit::Done, ""));
        let full = Box::pin(braid(&lake, &words).stdout_fails(io::ErrorKind::StorageFull).run()).await;
        assert_eq!(full.exit, Exit::Refused);
        assert!(full.stderr.starts_with("error: cannot write results"), "{}", full.stderr);
    }
}

#[tokio::test]
async fn what_was_found_before_a_failure_is_shown() {
    let lake = Lake::start().await;
    let prefix = proto::ListItem { item: Some(proto::list_item::Item::CommonPrefix("a/".into())) };
    let first = Reply::ok(&proto::StreamObjectsResponse { items: vec![prefix] });
    lake.on("ObjectService/StreamObjects", first.then(Error::new(Code::SnapshotExpired, "", "too old")));
    let broken = ran(&lake, &["ls", "braid://lake/main"]).await;
    assert_eq!((broken.exit, broken.lines().len()), (Exit::Refused, 1));
}

#[tokio::test]
async fn completion_asks_no_server_and_knows_every_command() {
    let lake = Lake::start().await;
    let script = ran(&lake, &["completion", "bash", "--config", "/nonexistent"]).await;
    assert_eq!(script.exit, Exit::Done);
    for command in Cli::command().get_subcommands() {
        assert!(script.stdout.contains(command.get_name()), "{}", command.get_name());
    }
    assert!(Cli::try_parse_from(["braid", "completion", "tcsh"]).is_err());
}
