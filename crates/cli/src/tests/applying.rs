//! Conditions, and `apply`.

use std::fs;

use braid_wire::proto;

use super::lake::Lake;
use super::running::{braid, ran};
use crate::Exit;

#[tokio::test]
async fn a_put_or_rm_with_an_etag_is_refused_for_another_object() {
    let lake = Lake::start().await.with(&[("a", "old")]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    fs::write(&file, "new").unwrap();
    let file = file.to_str().unwrap();
    let refused = ran(&lake, &["put", file, "braid://lake/main/a", "--if-etag", "other"]).await;
    assert_eq!((refused.exit, lake.objects()), (Exit::Refused, vec![("a".to_owned(), "old".to_owned())]));
    assert!(refused.stderr.contains("the object at 'a' has another etag"), "{}", refused.stderr);
    let put = ran(&lake, &["put", file, "braid://lake/main/a", "--if-etag", "\"tag-k1\""]).await;
    assert_eq!((put.exit, lake.objects()[0].1.as_str()), (Exit::Done, "new"), "{}", put.stderr);

    let refused = ran(&lake, &["rm", "braid://lake/main/a", "--if-etag", "tag-k1"]).await;
    assert_eq!((refused.exit, lake.paths().len()), (Exit::Refused, 1));
    let linked: Vec<proto::LinkUploadRequest> = lake.asked("ObjectService/LinkUpload");
    let etag = format!("tag-{}", linked.last().unwrap().link.as_ref().unwrap().intent);
    assert_eq!(ran(&lake, &["rm", "braid://lake/main/a", "--if-etag", &etag]).await.exit, Exit::Done);
    assert!(lake.paths().is_empty());

    let folder = folder.path().to_str().unwrap();
    for (option, value) in [("--if-etag", "e"), ("--if-generation", "0")] {
        let refused = ran(&lake, &["put", folder, "braid://lake/main/", option, value]).await;
        assert_eq!(refused.exit, Exit::Usage);
        assert!(refused.stderr.contains(&format!("{option} is about one object")));
    }
}

#[tokio::test]
async fn a_generation_as_stat_shows_it_is_demanded_of_a_put_and_an_rm() {
    let lake = Lake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    fs::write(&file, "new").unwrap();
    let put = async |generation: &str| {
        let file = file.to_str().unwrap();
        ran(&lake, &["put", file, "braid://lake/main/a", "--if-generation", generation]).await
    };
    let shown = async || {
        let stat = ran(&lake, &["stat", "braid://lake/main/a", "-o", "json"]).await;
        stat.json()[0]["generation"].as_str().unwrap().to_owned()
    };
    assert_eq!(put("0").await.exit, Exit::Done);
    let first = shown().await;
    assert_eq!(put("0").await.exit, Exit::Refused, "there is one now");
    assert_eq!(put(&first).await.exit, Exit::Done);
    assert!(ran(&lake, &["stat", "braid://lake/main/a"]).await.stdout.contains("generation:   1844674407"));
    let rm = async |generation: &str| {
        ran(&lake, &["rm", "braid://lake/main/a", "--if-generation", generation]).await.exit
    };
    assert_eq!(rm(&first).await, Exit::Refused);
    assert_eq!(rm(&shown().await).await, Exit::Done);
    assert!(lake.paths().is_empty());
}

#[tokio::test]
async fn a_copy_shares_the_data_and_has_metadata_of_its_own_if_that_is_given() {
    let lake = Lake::start().await.with(&[("d/a", "1")]);
    let source = "braid://lake/main~1/d/a";
    let copied = ran(&lake, &["cp", source, "braid://lake/main/b"]).await;
    assert_eq!(
        copied.lines(),
        ["copied braid://lake/main~1/d/a to braid://lake/main/b"],
        "{}",
        copied.stderr
    );
    let copied = ran(&lake, &["cp", source, "braid://lake/main/e/", "--meta", "k=v", "--if-absent"]).await;
    assert_eq!(copied.lines(), ["copied braid://lake/main~1/d/a to braid://lake/main/e/a"]);
    assert_eq!(lake.paths(), ["b", "d/a", "e/a"]);
    let asked: Vec<proto::CopyObjectRequest> = lake.asked("ObjectService/CopyObject");
    assert_eq!((asked[0].reference.as_str(), asked[0].metadata.as_ref()), ("main~1", None));
    assert_eq!(asked[1].metadata.as_ref().unwrap().entries["k"], "v");
    for also in [&["--if-absent"][..], &["--if-etag", "x"], &["--if-generation", "7"]] {
        let words = [&["cp", source, "braid://lake/main/b"], also].concat();
        assert_eq!(ran(&lake, &words).await.exit, Exit::Refused, "{also:?}");
    }
    let calls = lake.calls();
    let elsewhere = ran(&lake, &["cp", source, "braid://pond/main/b"]).await;
    assert_eq!((elsewhere.exit, lake.calls()), (Exit::Usage, calls));
}

#[tokio::test]
async fn lines_are_applied_in_one_call_and_each_is_answered() {
    let lake = Lake::start().await.with(&[("b", "old")]);
    let folder = tempfile::tempdir().unwrap();
    let (file, list) = (folder.path().join("f"), folder.path().join("list"));
    fs::write(&file, "data").unwrap();
    let lines = [
        serde_json::json!({"op": "check", "address": "braid://lake/main/a", "if_absent": true}),
        serde_json::json!({"op": "put", "address": "braid://lake/main/a", "file": file, "content_type": "text/plain"}),
        serde_json::json!({"op": "delete", "address": "braid://lake/main/b"}),
        serde_json::json!({"op": "delete", "address": "braid://lake/main/c"}),
        serde_json::json!({"op": "copy", "from": "braid://lake/main/a", "address": "braid://lake/main/d"}),
    ];
    fs::write(&list, lines.map(|line| line.to_string()).join("\n")).unwrap();
    let list = list.to_str().unwrap();
    let applied = ran(&lake, &["apply", list]).await;
    assert_eq!(applied.exit, Exit::Done, "{}", applied.stderr);
    let expected = [
        "put braid://lake/main/a",
        "deleted braid://lake/main/b",
        "nothing to delete at braid://lake/main/c",
        "copied to braid://lake/main/d",
    ];
    assert_eq!(applied.lines(), expected);
    assert_eq!(lake.objects(), ["a", "d"].map(|path| (path.to_owned(), "data".to_owned())));
    let asked: Vec<proto::ApplyRequest> = lake.asked("ObjectService/Apply");
    assert_eq!((asked.len(), asked[0].preconditions.len(), asked[0].operations.len()), (1, 1, 4));

    let again = ran(&lake, &["apply", list, "-o", "json"]).await;
    assert_eq!((again.exit, again.error()["code"].as_str()), (Exit::Refused, Some("precondition_failed")));
}

#[tokio::test]
async fn lines_come_from_standard_input_and_the_wrong_one_is_named() {
    let lake = Lake::start().await.with(&[("b", "old")]);
    let line = r#"{"op": "delete", "address": "braid://lake/main/b"}"#;
    let removed = braid(&lake, &["apply", "-", "-o", "json"]).stdin(line).run().await;
    assert_eq!(
        removed.json(),
        [serde_json::json!({"op": "delete", "address": "braid://lake/main/b", "existed": true})]
    );
    let calls = lake.calls();
    let wrong = braid(&lake, &["apply", "-"]).stdin("{\"op\": \"delete\"}").run().await;
    assert_eq!((wrong.exit, lake.calls()), (Exit::Usage, calls), "nothing was asked of the server");
    assert!(wrong.stderr.contains("line 1: missing field `address`"), "{}", wrong.stderr);
}
