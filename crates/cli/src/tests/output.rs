//! What commands ask of the server, and how they show its answers.

use braid_wire::proto;
use prost_types::Timestamp;

use super::lake::{Lake, Reply};
use super::running::{braid, ran};
use crate::Exit;

fn id(digit: char) -> String {
    digit.to_string().repeat(64)
}

fn commit(digit: char, parents: &[char]) -> proto::Commit {
    proto::Commit {
        id: id(digit),
        parents: parents.iter().copied().map(id).collect(),
        committer: "ann".into(),
        message: "First\nline\u{1b} two".into(),
        metadata: [("job".to_owned(), "42".to_owned())].into(),
        created_at: Some(Timestamp::default()),
        generation: 1,
        version: 1,
        ..proto::Commit::default()
    }
}

fn branch(name: &str) -> proto::Branch {
    proto::Branch { name: name.into(), commit_id: id('b') }
}

fn repository() -> proto::Repository {
    proto::Repository {
        name: "lake".into(),
        id: "0".repeat(32),
        storage_namespace: "mem://lake".into(),
        default_branch: "trunk".into(),
        created_at: Some(Timestamp::default()),
        read_only: true,
    }
}

fn object(path: &str, size: u64) -> Option<proto::Object> {
    Some(proto::Object {
        path: path.into(),
        size,
        mtime: Some(Timestamp::default()),
        ..proto::Object::default()
    })
}

fn changes() -> Reply {
    use proto::DiffKind::{Added, Changed, Removed};
    let entry = |path: &str, kind: proto::DiffKind, left, right| proto::DiffEntry {
        path: path.into(),
        kind: kind.into(),
        left,
        right,
    };
    let entries = [
        entry("a", Added, None, object("a", 5)),
        entry("b", Removed, object("b", 1), None),
        entry("c", Changed, object("c", 1), object("c", 2)),
    ];
    let items = entries.map(|entry| proto::DiffItem { item: Some(proto::diff_item::Item::Entry(entry)) });
    Reply::ok(&proto::DiffResponse { items: items.into() })
}

#[tokio::test]
async fn branches_start_at_the_default_branch_unless_told() {
    let lake = Lake::start().await;
    lake.on("RepositoryService/GetRepository", Reply::ok(&repository()));
    lake.on("RefService/CreateBranch", Reply::ok(&branch("x")));
    lake.on("RefService/CreateBranch", Reply::ok(&branch("y")));
    let made = ran(&lake, &["branch", "create", "braid://lake/x"]).await;
    assert_eq!(made.stdout, format!("name:   x\ncommit: {}\n", id('b')));
    let quiet = ran(&lake, &["branch", "create", "braid://lake/y", "--from", "v1~2", "-q"]).await;
    assert_eq!((quiet.exit, quiet.stdout.as_str()), (Exit::Done, ""));
    let asked: Vec<proto::CreateBranchRequest> = lake.asked("RefService/CreateBranch");
    assert_eq!(asked.iter().map(|asked| asked.source.as_str()).collect::<Vec<_>>(), ["trunk", "v1~2"]);
}

#[tokio::test]
async fn lists_go_over_all_pages() {
    let lake = Lake::start().await;
    let page = |name: &str, token: &str| {
        Reply::ok(&proto::ListBranchesResponse {
            branches: vec![branch(name)],
            next_page_token: token.into(),
        })
    };
    lake.on("RefService/ListBranches", page("a", "more"));
    lake.on("RefService/ListBranches", page("b", ""));
    let listed = ran(&lake, &["branch", "list", "lake"]).await;
    assert_eq!(listed.stdout, format!("{0}  a\n{0}  b\n", id('b')));
    lake.on(
        "RepositoryService/ListRepositories",
        Reply::ok(&proto::ListRepositoriesResponse {
            repositories: vec![repository()],
            next_page_token: String::new(),
        }),
    );
    let json = ran(&lake, &["repo", "list", "-o", "json"]).await.json();
    assert_eq!((json.len(), json[0]["default_branch"].as_str()), (1, Some("trunk")));
}

#[tokio::test]
async fn resets_say_what_they_reset() {
    use proto::reset_branch_request::Scope;
    let lake = Lake::start().await;
    for path in ["", "/a/b", "/a/"] {
        lake.on("RefService/ResetBranch", Reply::ok(&branch("main")));
        let reset = ran(&lake, &["branch", "reset", "-y", &format!("braid://lake/main{path}")]).await;
        assert_eq!(reset.exit, Exit::Done, "{}", reset.stderr);
    }
    let asked: Vec<proto::ResetBranchRequest> = lake.asked("RefService/ResetBranch");
    let scopes: Vec<Scope> = asked.into_iter().map(|asked| asked.scope.unwrap()).collect();
    assert_eq!(
        scopes,
        [Scope::All(proto::ResetAll {}), Scope::Path("a/b".into()), Scope::Prefix("a/".into())]
    );
}

#[tokio::test]
async fn a_hard_reset_moves_a_whole_branch() {
    let lake = Lake::start().await;
    lake.on("RefService/HardResetBranch", Reply::ok(&branch("main")));
    let reset = ran(&lake, &["branch", "reset", "-y", "braid://lake/main", "--hard", "v1~2"]).await;
    assert_eq!(reset.exit, Exit::Done, "{}", reset.stderr);
    let asked: Vec<proto::HardResetBranchRequest> = lake.asked("RefService/HardResetBranch");
    assert_eq!((asked[0].branch.as_str(), asked[0].reference.as_str()), ("main", "v1~2"));
    let refused = ran(&lake, &["branch", "reset", "-y", "braid://lake/main/a", "--hard", "v1"]).await;
    assert_eq!(refused.exit, Exit::Usage);
    assert!(refused.stderr.contains("--hard moves a whole branch"), "{}", refused.stderr);
}

#[tokio::test]
async fn the_lines_of_a_commit_set_are_asked_for_in_one_call() {
    let lake = Lake::start().await;
    let made = proto::CommitSetResponse { commits: vec![commit('c', &['b']), commit('d', &['c'])] };
    lake.on("CommitService/CommitSet", Reply::ok(&made));
    let lines = r#"{"op": "commit", "branch": "braid://lake/dev", "message": "m"}
{"op": "merge", "source": "braid://lake/dev", "into": "main"}"#;
    let done = braid(&lake, &["commit-set", "-"]).stdin(lines).run().await;
    assert_eq!(done.exit, Exit::Done, "{}", done.stderr);
    let expected = [
        format!("commit braid://lake/dev {}", "c".repeat(64)),
        format!("merge braid://lake/main {}", "d".repeat(64)),
    ];
    assert_eq!(done.lines(), expected);
    let asked: Vec<proto::CommitSetRequest> = lake.asked("CommitService/CommitSet");
    assert_eq!((asked.len(), asked[0].members.len()), (1, 2));
    let calls = lake.calls();
    let wrong = braid(&lake, &["commit-set", "-"]).stdin("{}").run().await;
    assert_eq!((wrong.exit, lake.calls()), (Exit::Usage, calls), "nothing was asked of the server");
}

#[tokio::test]
async fn commits_are_made_and_shown() {
    let lake = Lake::start().await;
    lake.on("CommitService/Commit", Reply::ok(&commit('c', &['b'])));
    let words =
        ["commit", "braid://lake/main", "-m", "First", "--meta", "job=42", "--date", "2001-09-09T01:46:40Z"];
    let made = ran(&lake, &words).await;
    assert_eq!(made.stdout, format!("{} First\n", id('c')));
    let asked = lake.asked::<proto::CommitRequest>("CommitService/Commit").remove(0);
    assert_eq!(asked.date.unwrap().seconds, 1_000_000_000);
    assert_eq!((asked.metadata["job"].as_str(), asked.allow_empty), ("42", false));
    lake.on("CommitService/CommitTree", Reply::ok(&commit('d', &['c'])));
    let made = ran(&lake, &["commit", "braid://lake/main", "-m", "First", "--tree", &id('e')]).await;
    assert_eq!(made.stdout, format!("{} First\n", id('d')));
    let asked = lake.asked::<proto::CommitTreeRequest>("CommitService/CommitTree").remove(0);
    assert_eq!((asked.metarange_id, asked.branch.as_str()), (id('e'), "main"));

    lake.on("CommitService/Log", Reply::ok(&proto::LogResponse { commits: vec![commit('c', &['b', 'a'])] }));
    let log =
        ran(&lake, &["log", "braid://lake/main", "--path", "p", "--limit", "3", "--stop-at", "v1"]).await;
    let expected = format!(
        "commit {}\nmerge:     {} {}\ncommitter: ann\ndate:      1970-01-01T00:00:00Z\nmetadata:  job = 42\n\n    First\n    line\\u{{1b}} two\n\n",
        id('c'),
        id('b'),
        id('a')
    );
    assert_eq!(log.stdout, expected);
    let asked = lake.asked::<proto::LogRequest>("CommitService/Log").remove(0);
    assert_eq!((asked.limit, asked.paths, asked.stop_at.as_str()), (3, vec!["p".to_owned()], "v1"));
}

#[tokio::test]
async fn differences_are_shown_or_summed_up() {
    let lake = Lake::start().await;
    lake.on("CommitService/Diff", changes());
    let shown = ran(&lake, &["diff", "braid://lake/main", "x$", "--prefix", "p/"]).await;
    assert_eq!((shown.exit, shown.lines()), (Exit::Done, vec!["+ a", "- b", "~ c"]));
    lake.on("CommitService/Diff", changes());
    let summed = ran(&lake, &["diff", "braid://lake/main", "x", "--two-dot", "--summary"]).await;
    assert_eq!(summed.stdout, "3 paths differ: 1 added, 1 removed, 1 changed (+7 B, -2 B)\n");
    let asked: Vec<proto::DiffRequest> = lake.asked("CommitService/Diff");
    assert_eq!(
        (asked[0].mode(), asked[0].right.as_str(), asked[0].prefix.as_str()),
        (proto::DiffMode::ThreeDot, "x$", "p/")
    );
    assert_eq!(asked[1].mode(), proto::DiffMode::TwoDot);

    lake.on("CommitService/DiffBranch", changes());
    let uncommitted = ran(&lake, &["diff", "braid://lake/main", "-o", "json"]).await.json();
    assert_eq!((uncommitted.len(), uncommitted[1]["kind"].as_str()), (3, Some("removed")));
    let tag = ran(&lake, &["diff", "braid://lake/v1.0"]).await;
    assert_eq!(tag.exit, Exit::Usage);
}

#[tokio::test]
async fn a_commit_is_shown_with_its_changes() {
    let lake = Lake::start().await.with(&[("a", "1")]);
    lake.on("CommitService/GetCommit", Reply::ok(&commit('c', &['b', 'a'])));
    lake.on("CommitService/Diff", changes());
    let shown = ran(&lake, &["show", "braid://lake/main"]).await;
    assert!(shown.stdout.ends_with("two\n\n+ a\n- b\n~ c\n"), "{}", shown.stdout);
    let asked = lake.asked::<proto::DiffRequest>("CommitService/Diff").remove(0);
    assert_eq!(
        (asked.left.clone(), asked.right.clone(), asked.mode()),
        (id('b'), id('c'), proto::DiffMode::TwoDot)
    );

    lake.on("CommitService/GetCommit", Reply::ok(&commit('d', &[])));
    let first = ran(&lake, &["show", "braid://lake/main"]).await;
    assert!(first.stdout.ends_with("\n\n+ a\n"), "a first commit adds all that it has: {}", first.stdout);
}

#[tokio::test]
async fn merges_and_what_is_made_of_them_pass_everything_on() {
    let lake = Lake::start().await;
    for method in ["CommitService/Merge", "CommitService/Revert", "CommitService/CherryPick"] {
        lake.on(method, Reply::ok(&commit('c', &['b'])));
    }
    let merge = ["merge", "braid://lake/x", "main", "--strategy", "dest-wins", "--squash", "-m", "M"];
    assert_eq!(ran(&lake, &merge).await.exit, Exit::Done);
    let asked = lake.asked::<proto::MergeRequest>("CommitService/Merge").remove(0);
    assert_eq!(asked.strategy(), proto::MergeStrategy::DestinationWins);
    assert_eq!(
        (asked.source.as_str(), asked.destination.as_str(), asked.squash, asked.message.as_str()),
        ("x", "main", true, "M")
    );

    assert_eq!(ran(&lake, &["revert", "braid://lake/main", "x~1", "--parent", "2"]).await.exit, Exit::Done);
    let asked = lake.asked::<proto::RevertRequest>("CommitService/Revert").remove(0);
    assert_eq!((asked.branch.as_str(), asked.reference.as_str(), asked.parent_number), ("main", "x~1", 2));

    let pick = ["cherry-pick", "braid://lake/main", "x", "--meta", "a=b"];
    assert_eq!(ran(&lake, &pick).await.exit, Exit::Done);
    let asked = lake.asked::<proto::CherryPickRequest>("CommitService/CherryPick").remove(0);
    assert_eq!((asked.reference.as_str(), asked.metadata["a"].as_str()), ("x", "b"));

    lake.on(
        "RefService/FindMergeBase",
        Reply::ok(&proto::MergeBase {
            left_commit_id: id('a'),
            right_commit_id: id('b'),
            base_commit_id: id('c'),
        }),
    );
    let base = ran(&lake, &["merge-base", "braid://lake/main", "x"]).await;
    assert_eq!(base.stdout, format!("{}\n", id('c')));
}

#[tokio::test]
async fn the_server_and_the_caller_are_shown() {
    let lake = Lake::start().await;
    lake.on(
        "ServerService/WhoAmI",
        Reply::ok(&proto::Identity { user: "ann".into(), access_key_id: "K".into() }),
    );
    assert_eq!(ran(&lake, &["whoami"]).await.stdout, "ann (access key K)\n");
    let limits = proto::Limits { upload_bytes: 5 << 30, ..proto::Limits::default() };
    let info = proto::ServerInfo { version: "1.2.3".into(), storage_kind: "s3".into(), limits: Some(limits) };
    lake.on("ServerService/GetServerInfo", Reply::ok(&info));
    let json = ran(&lake, &["info", "-o", "json"]).await.json();
    assert_eq!(
        (json[0]["version"].as_str(), json[0]["limits"]["upload_bytes"].as_u64()),
        (Some("1.2.3"), Some(5 << 30))
    );
}

#[tokio::test]
async fn tags_and_repositories_are_made_shown_and_deleted() {
    let lake = Lake::start().await;
    let tag = proto::Tag { name: "v1".into(), commit_id: id('b') };
    lake.on("RefService/CreateTag", Reply::ok(&tag));
    lake.on("RefService/GetTag", Reply::ok(&tag));
    lake.on("RefService/DeleteTag", Reply::ok(&proto::DeleteTagResponse::default()));
    assert_eq!(ran(&lake, &["tag", "create", "braid://lake/v1", "main@"]).await.exit, Exit::Done);
    assert!(ran(&lake, &["tag", "show", "braid://lake/v1"]).await.stdout.starts_with("name:   v1\n"));
    let deleted = ran(&lake, &["tag", "delete", "braid://lake/v1"]).await;
    assert_eq!(deleted.stdout, "deleted braid://lake/v1\n");

    lake.on("RepositoryService/CreateRepository", Reply::ok(&repository()));
    lake.on("RepositoryService/DeleteRepository", Reply::ok(&proto::DeleteRepositoryResponse::default()));
    let made = ran(&lake, &["repo", "create", "braid://lake", "--default-branch", "trunk"]).await;
    assert!(
        made.stdout.ends_with("default branch: trunk\ncreated:        1970-01-01T00:00:00Z\nread-only\n"),
        "{}",
        made.stdout
    );
    let deleted = ran(&lake, &["repo", "delete", "lake", "-y", "-o", "json"]).await.json();
    assert_eq!(deleted, [serde_json::json!({"deleted": "braid://lake"})]);
}
