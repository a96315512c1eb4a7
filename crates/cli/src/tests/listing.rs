//! `ls` and `rm`.

use braid_types::{Code, Error};
use braid_wire::proto;

use super::lake::{Lake, Reply};
use super::running::{braid, ran};
use crate::Exit;

async fn lake() -> Lake {
    Lake::start().await.with(&[("a", "12345"), ("d/a", "1"), ("d/b/c", "1"), ("d-x", "1")])
}

#[tokio::test]
async fn one_level_or_all() {
    let lake = lake().await;
    let shown = ran(&lake, &["ls", "braid://lake/main"]).await;
    assert_eq!(
        shown.lines(),
        [
            "object           5 B  1970-01-01T00:00:00Z  a",
            "object           1 B  1970-01-01T00:00:00Z  d-x",
            "prefix             -  -                     d/",
        ]
    );
    let all = ran(&lake, &["ls", "-r", "braid://lake/main/d/", "-o", "json"]).await.json();
    assert_eq!(all.iter().map(|line| &line["object"]["path"]).collect::<Vec<_>>(), ["d/a", "d/b/c"]);
    let limited = ran(&lake, &["ls", "-r", "braid://lake/main", "--limit", "1", "--bytes"]).await;
    assert_eq!(limited.lines(), ["object             5  1970-01-01T00:00:00Z  a"]);
    let levels = ran(&lake, &["ls", "braid://lake/main/d", "-o", "json"]).await.json();
    assert_eq!(levels[1], serde_json::json!({"common_prefix": "d/"}));
}

#[tokio::test]
async fn what_is_not_there_cannot_be_deleted() {
    let lake = lake().await;
    let removed = ran(&lake, &["rm", "braid://lake/main/a"]).await;
    assert_eq!((removed.exit, removed.stdout.as_str()), (Exit::Done, "deleted braid://lake/main/a\n"));
    assert_eq!(lake.calls(), 1);
    let again = ran(&lake, &["rm", "braid://lake/main/a", "-o", "json"]).await;
    assert_eq!((again.exit, again.error()["code"].as_str()), (Exit::Refused, Some("object_not_found")));
    assert_eq!(ran(&lake, &["rm", "braid://lake/main"]).await.exit, Exit::Usage);
    assert_eq!(ran(&lake, &["rm", "-ry", "braid://lake/main/none/"]).await.exit, Exit::Refused);
}

#[tokio::test]
async fn a_directory_is_deleted_without_what_begins_like_it() {
    let lake = lake().await;
    let removed = ran(&lake, &["rm", "-r", "--yes", "braid://lake/main/d"]).await;
    assert_eq!(removed.stdout, "deleted everything under braid://lake/main/d/\n");
    assert_eq!(lake.paths(), ["a", "d-x"]);
}

#[tokio::test]
async fn a_directory_is_deleted_in_one_call_however_much_it_holds() {
    let paths: Vec<String> = (0..10_001).map(|number| format!("d/{number}")).collect();
    let objects: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
    let lake = Lake::start().await.with(&objects);
    let removed = ran(&lake, &["rm", "-ry", "braid://lake/main/", "-o", "json"]).await;
    let expected = serde_json::json!({"deleted": "braid://lake/main"});
    assert_eq!(removed.json(), [expected]);
    let asked: Vec<proto::DeletePrefixRequest> = lake.asked("ObjectService/DeletePrefix");
    assert_eq!((asked.len(), asked[0].prefix.as_str(), lake.calls()), (1, "", 1));
}

#[tokio::test]
async fn a_deletion_that_is_refused_is_said() {
    let lake = lake().await;
    let read_only = Error::new(Code::ReadOnly, "lake", "it is read-only");
    lake.on("ObjectService/DeletePrefix", Reply::error(read_only));
    let failed = ran(&lake, &["rm", "-ry", "braid://lake/main/"]).await;
    assert_eq!((failed.exit, failed.stderr.as_str()), (Exit::Refused, "error: it is read-only\n"));
    assert_eq!(lake.paths().len(), 4);
}

#[tokio::test]
async fn nothing_is_lost_without_a_yes() {
    let lake = lake().await;
    for words in [
        &["rm", "-r", "braid://lake/main/d/"][..],
        &["repo", "delete", "lake"],
        &["branch", "delete", "braid://lake/x"],
        &["branch", "reset", "braid://lake/main/d/"],
    ] {
        let unasked = ran(&lake, words).await;
        assert_eq!(unasked.exit, Exit::Usage);
        assert!(unasked.stderr.contains("give --yes"), "{}", unasked.stderr);
        for answer in ["n\n", "\n", ""] {
            let declined = Box::pin(braid(&lake, words).answering(answer).run()).await;
            assert_eq!(declined.exit, Exit::Refused);
            assert!(declined.stderr.contains("? [y/N] error: nothing was changed"), "{}", declined.stderr);
        }
    }
    assert_eq!(lake.calls(), 0);
    let agreed = Box::pin(braid(&lake, &["rm", "-r", "braid://lake/main/d/"]).answering("yes\n").run()).await;
    assert_eq!(agreed.exit, Exit::Done);
    assert!(agreed.stderr.starts_with("Delete everything under braid://lake/main/d/? [y/N] "));
}
