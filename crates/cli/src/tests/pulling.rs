//! `pr`.

use braid_types::{Code, Error};
use braid_wire::proto;
use clap::Parser;

use super::lake::{Lake, Reply};
use super::running::ran;
use crate::{Cli, Exit};

const ID: &str = "55nrd5vrpb7k5sac9p0g";

fn pull(status: proto::PullRequestStatus) -> proto::PullRequest {
    proto::PullRequest {
        id: ID.into(),
        title: "Better \u{1b}numbers".into(),
        description: "Run 17\nwithout".into(),
        author: "ada".into(),
        source: "side".into(),
        destination: "main".into(),
        status: status.into(),
        created_at: Some(prost_types::Timestamp::default()),
        ..proto::PullRequest::default()
    }
}

fn merged() -> proto::PullRequest {
    proto::PullRequest {
        closed_at: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        merged_commit_id: "1a".repeat(32),
        ..pull(proto::PullRequestStatus::Merged)
    }
}

#[tokio::test]
async fn a_pull_request_is_made_listed_and_shown() {
    let lake = Lake::start().await;
    let open = pull(proto::PullRequestStatus::Open);
    lake.on("PullRequestService/CreatePullRequest", Reply::ok(&open));
    let words = ["pr", "create", "braid://lake/side", "main", "--title", "Better", "-d", "Run 17"];
    let shown = ran(&lake, &words).await;
    assert_eq!(
        shown.lines(),
        [
            &format!("pull request {ID}"),
            "title:   Better \\u{1b}numbers",
            "merges:  side into main",
            "author:  ada",
            "created: 1970-01-01T00:00:00Z",
            "status:  open",
            "",
            "    Run 17",
            "    without",
        ]
    );
    let asked: proto::CreatePullRequestRequest = lake.asked("PullRequestService/CreatePullRequest").remove(0);
    assert_eq!((asked.source.as_str(), asked.destination.as_str()), ("side", "main"));
    assert_eq!((asked.title.as_str(), asked.description.as_str()), ("Better", "Run 17"));

    let page = proto::ListPullRequestsResponse {
        pull_requests: vec![open, merged()],
        next_page_token: String::new(),
    };
    for (words, filter) in [
        (&["pr", "list", "lake"][..], proto::PullRequestFilter::Open),
        (&["pr", "list", "lake", "--status", "closed"], proto::PullRequestFilter::Closed),
        (&["pr", "list", "lake", "--status", "all"], proto::PullRequestFilter::Unspecified),
    ] {
        lake.on("PullRequestService/ListPullRequests", Reply::ok(&page));
        let shown = ran(&lake, words).await;
        let line = |status| format!("{ID}  {status:<6}  side into main  Better \\u{{1b}}numbers");
        assert_eq!(shown.lines(), [line("open"), line("merged")]);
        let asked: Vec<proto::ListPullRequestsRequest> = lake.asked("PullRequestService/ListPullRequests");
        assert_eq!(asked.last().unwrap().filter(), filter);
    }

    lake.on("PullRequestService/GetPullRequest", Reply::ok(&merged()));
    let shown = ran(&lake, &["pr", "show", &format!("braid://lake/{ID}"), "-o", "json"]).await;
    let json = &shown.json()[0];
    assert_eq!(
        (json["status"].as_str(), json["closed_at"].as_str()),
        (Some("merged"), Some("1970-01-01T00:00:01Z"))
    );
    assert_eq!(json["merged_commit_id"], "1a".repeat(32));
}

#[tokio::test]
async fn a_pull_request_is_edited_closed_and_opened_again() {
    let lake = Lake::start().await;
    let address = format!("braid://lake/{ID}");
    let open = proto::PullRequestStatus::Open;
    let closed = proto::PullRequestStatus::Closed;
    for (words, title, description, status) in [
        (&["pr", "edit", &address, "--title", "x"][..], Some("x"), None, None),
        (&["pr", "edit", &address, "--description", ""], None, Some(""), None),
        (&["pr", "close", &address], None, None, Some(closed)),
        (&["pr", "reopen", &address], None, None, Some(open)),
    ] {
        lake.on("PullRequestService/UpdatePullRequest", Reply::ok(&pull(status.unwrap_or(open))));
        assert_eq!(ran(&lake, words).await.exit, Exit::Done);
        let asked: Vec<proto::UpdatePullRequestRequest> = lake.asked("PullRequestService/UpdatePullRequest");
        let asked = asked.last().unwrap();
        assert_eq!((asked.title.as_deref(), asked.description.as_deref()), (title, description));
        assert_eq!(asked.status, status.map(Into::into));
    }
    for (words, told) in [
        (["braid", "pr", "edit", &address], "--title <TITLE>|--description <DESCRIPTION>"),
        (["braid", "pr", "close", "braid://lake/main"], "'main' is not a pull request id"),
    ] {
        let error = Cli::try_parse_from(words).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn merging_says_with_which_commit_or_lists_all_conflicts() {
    let lake = Lake::start().await;
    lake.on("PullRequestService/MergePullRequest", Reply::ok(&merged()));
    let address = format!("braid://lake/{ID}");
    let words =
        ["pr", "merge", &address, "--strategy", "dest-wins", "-m", "yes", "--meta", "k=v", "--squash"];
    let shown = ran(&lake, &words).await;
    assert!(shown.lines().contains(&format!("commit:  {}", "1a".repeat(32)).as_str()), "{:?}", shown.lines());
    let asked: proto::MergePullRequestRequest = lake.asked("PullRequestService/MergePullRequest").remove(0);
    assert_eq!((asked.strategy(), asked.squash), (proto::MergeStrategy::DestinationWins, true));
    assert_eq!((asked.message.as_str(), asked.metadata["k"].as_str()), ("yes", "v"));

    let conflict = Error::new(Code::MergeConflict, "a", "1 of the paths conflict");
    lake.on("PullRequestService/MergePullRequest", Reply::error(conflict));
    lake.on("PullRequestService/GetPullRequest", Reply::ok(&pull(proto::PullRequestStatus::Open)));
    let conflicts = vec![proto::MergeConflict { path: "a".into(), ..proto::MergeConflict::default() }];
    lake.on("CommitService/ListMergeConflicts", Reply::ok(&proto::ListMergeConflictsResponse { conflicts }));
    let refused = ran(&lake, &["pr", "merge", &address]).await;
    assert_eq!((refused.exit, refused.lines().len()), (Exit::Refused, 1));
    let asked: proto::ListMergeConflictsRequest = lake.asked("CommitService/ListMergeConflicts").remove(0);
    assert_eq!((asked.source.as_str(), asked.destination.as_str()), ("side", "main"));
}
