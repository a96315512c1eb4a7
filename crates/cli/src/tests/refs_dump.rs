//! `dump` and `restore`.

use braid_types::{Code, Error};
use braid_wire::proto;

use super::lake::{Lake, Reply};
use super::running::{braid, ran};
use crate::Exit;

fn manifest() -> proto::RefsManifest {
    proto::RefsManifest {
        commits_meta_range_id: "1a".repeat(32),
        branches_meta_range_id: "2b".repeat(32),
        tags_meta_range_id: "3c".repeat(32),
    }
}

fn progress() -> proto::RefsProgress {
    proto::RefsProgress { commits: 500, commits_total: 900, ..proto::RefsProgress::default() }
}

fn dumped(uncommitted: u64) -> Reply {
    use proto::dump_refs_event::Event;
    let done = proto::DumpedRefs {
        manifest: Some(manifest()),
        manifest_uri: "s3://b/_lakefs/refs_manifest.json".into(),
        commits: 900,
        branches: 2,
        tags: 1,
        uncommitted,
        uncommitted_branches: (0..uncommitted.min(2)).map(|number| format!("b{number}")).collect(),
    };
    let events = [Event::Progress(progress()), Event::Done(done)];
    let events = events.map(|event| proto::DumpRefsEvent { event: Some(event) }).into();
    Reply::ok(&proto::DumpRefsResponse { events })
}

fn restored() -> Reply {
    use proto::restore_refs_event::Event;
    let repository = proto::Repository {
        name: "lake".into(),
        id: "07".repeat(16),
        storage_namespace: "s3://b".into(),
        default_branch: "main".into(),
        created_at: Some(prost_types::Timestamp::default()),
        read_only: false,
    };
    let done = proto::RestoredRefs { repository: Some(repository), commits: 1, branches: 1, tags: 0 };
    let events = [Event::Progress(progress()), Event::Done(done)];
    let events = events.map(|event| proto::RestoreRefsEvent { event: Some(event) }).into();
    Reply::ok(&proto::RestoreRefsResponse { events })
}

#[tokio::test]
async fn a_dump_is_named_and_what_it_lacks_is_said() {
    let lake = Lake::start().await;
    (0..4).for_each(|uncommitted| lake.on("RepositoryService/DumpRefs", dumped(uncommitted)));
    let clean = ran(&lake, &["dump", "lake"]).await;
    let (commits, branches, tags) = ("1a".repeat(32), "2b".repeat(32), "3c".repeat(32));
    assert_eq!(
        clean.lines(),
        [
            "dumped 900 commits, 2 branches, 1 tag".to_owned(),
            format!("commits   {commits}"),
            format!("branches  {branches}"),
            format!("tags      {tags}"),
            "manifest  s3://b/_lakefs/refs_manifest.json".to_owned(),
        ]
    );
    assert_eq!((clean.exit, clean.stderr.as_str()), (Exit::Done, ""));
    let one = ran(&lake, &["dump", "braid://lake"]).await;
    assert_eq!(one.stderr, "uncommitted changes of 1 branch are not in the dump: b0\n");
    let json = ran(&lake, &["dump", "lake", "-o", "json"]).await;
    assert_eq!(json.stderr, "");
    let json = json.json().remove(0);
    assert_eq!(json["tags_meta_range_id"], tags.as_str());
    assert_eq!((&json["uncommitted"], &json["uncommitted_branches"][1]), (&2.into(), &"b1".into()));
    let many = ran(&lake, &["dump", "lake"]).await;
    assert_eq!(many.stderr, "uncommitted changes of 3 branches are not in the dump: b0, b1 and 1 more\n");
}

#[tokio::test]
async fn a_restore_says_what_there_is_now() {
    let lake = Lake::start().await;
    (0..4).for_each(|_| lake.on("RepositoryService/RestoreRefs", restored()));
    let shown = ran(&lake, &["restore", "lake"]).await;
    assert_eq!((shown.exit, shown.stderr.as_str()), (Exit::Done, ""));
    assert_eq!(shown.lines()[..2], ["restored 1 commit, 1 branch, 0 tags", "name:           lake"]);
    let words = [
        "restore",
        "lake",
        "--storage-namespace",
        "s3://b",
        "--take-over",
        "--default-branch",
        "x",
        "-o",
        "json",
    ];
    let json = ran(&lake, &words).await.json().remove(0);
    assert_eq!((&json["commits"], &json["repository"]["default_branch"]), (&1.into(), &"main".into()));
    // What `dump -o json` prints is a manifest.
    let text = r#"{"commits_meta_range_id":"1a","branches_meta_range_id":"2b","tags_meta_range_id":"3c","manifest":"m"}"#;
    let text =
        ["1a", "2b", "3c"].iter().fold(text.to_owned(), |text, byte| text.replace(byte, &byte.repeat(32)));
    let read = braid(&lake, &["restore", "lake", "--manifest", "-"]).stdin(text.leak()).run().await;
    assert_eq!((read.exit, read.stderr.as_str()), (Exit::Done, ""));
    // The manifest in a place of somebody else's may not be that of the newest dump.
    let found = ran(&lake, &["restore", "lake", "--storage-namespace", "s3://b", "--take-over"]).await;
    assert!(found.stderr.contains("`lakectl refs-dump` does not write it"), "{}", found.stderr);

    let asked: Vec<proto::RestoreRefsRequest> = lake.asked("RepositoryService/RestoreRefs");
    assert_eq!((asked[0].repository.as_str(), &asked[0].manifest), ("lake", &None));
    assert_eq!((asked[0].storage_namespace.as_str(), asked[0].take_over), ("", false));
    assert_eq!((asked[1].storage_namespace.as_str(), asked[1].take_over), ("s3://b", true));
    assert_eq!(asked[1].default_branch, "x");
    assert_eq!(asked[2].manifest, Some(manifest()));
    let ids: Vec<&str> = asked.iter().map(|request| request.request_id.as_str()).collect();
    assert!(ids.iter().all(|id| !id.is_empty()), "{ids:?}");
}

#[tokio::test]
async fn what_is_no_manifest_is_refused_before_anything_is_asked() {
    let lake = Lake::start().await;
    for text in
        ["", "{}", r#"{"commits_meta_range_id":"x","branches_meta_range_id":"","tags_meta_range_id":""}"#]
    {
        let refused = braid(&lake, &["restore", "lake", "--manifest", "-"]).stdin(text).run().await;
        assert_eq!(refused.exit, Exit::Refused);
        assert!(refused.stderr.starts_with("error: '-' is not a manifest of a dump: "), "{}", refused.stderr);
    }
    let refused = ran(&lake, &["restore", "lake", "--manifest", "/nowhere/at/all"]).await;
    assert!(refused.stderr.starts_with("error: cannot read '/nowhere/at/all': "), "{}", refused.stderr);
    assert_eq!(lake.calls(), 0);
}

#[tokio::test]
async fn a_dump_or_restore_without_an_end_is_no_success() {
    let lake = Lake::start().await;
    lake.on("RepositoryService/DumpRefs", Reply::ok(&proto::DumpRefsResponse::default()));
    lake.on("RepositoryService/RestoreRefs", Reply::ok(&proto::RestoreRefsResponse::default()));
    for words in [["dump", "lake"], ["restore", "lake"]] {
        let ended = ran(&lake, &words).await;
        assert_eq!((ended.exit, ended.stdout.as_str()), (Exit::Refused, ""));
        let said = format!("the server ended the {} without saying how", words[0]);
        assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    }
    let broken = Error::new(Code::RepositoryNotEmpty, "lake", "repository 'lake' is not empty");
    lake.on("RepositoryService/RestoreRefs", Reply::error(broken));
    let refused = ran(&lake, &["restore", "lake"]).await;
    assert_eq!(refused.exit, Exit::Refused);
    assert!(refused.stderr.contains("hint: `braid repo create`"), "{}", refused.stderr);
    let none = Error::new(Code::DumpNotFound, "s3://b", "storage namespace 's3://b' has no manifest");
    lake.on("RepositoryService/RestoreRefs", Reply::error(none));
    let refused = ran(&lake, &["restore", "lake"]).await;
    assert!(
        refused.stderr.contains("what `braid dump -o json` or `lakectl refs-dump` printed"),
        "{}",
        refused.stderr
    );
}
