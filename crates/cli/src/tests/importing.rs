//! `import`.

use braid_types::{Code, Error};
use braid_wire::proto;

use super::lake::{Lake, Reply};
use super::running::{braid, ran};
use crate::Exit;

fn import(status: proto::ImportStatus, objects: u64) -> proto::Import {
    proto::Import {
        id: "0a".repeat(16),
        branch: "main".into(),
        status: status.into(),
        objects,
        started_by: "ada".into(),
        started_at: Some(prost_types::Timestamp::default()),
        updated_at: Some(prost_types::Timestamp::default()),
        ..proto::Import::default()
    }
}

fn reply(status: proto::ImportStatus, objects: u64) -> Reply {
    Reply::ok(&import(status, objects))
}

#[tokio::test]
async fn an_import_is_begun_and_waited_for() {
    let lake = Lake::start().await;
    lake.on("ImportService/StartImport", reply(proto::ImportStatus::Running, 0));
    lake.on("ImportService/GetImport", reply(proto::ImportStatus::Running, 500));
    let done = proto::Import { commit_id: "1a".repeat(32), ..import(proto::ImportStatus::Finished, 1200) };
    lake.on("ImportService/GetImport", Reply::ok(&done));
    let words = ["import", "s3://b/raw/", "braid://lake/main/raw", "-m", "raw", "--meta", "job=42"];
    let shown = ran(&lake, &words).await;
    let commit = "1a".repeat(32);
    assert_eq!(shown.lines(), [format!("imported 1200 objects to main in commit {commit}")]);
    assert_eq!((shown.exit, shown.stderr.as_str()), (Exit::Done, ""));
    let asked: proto::StartImportRequest = lake.asked("ImportService/StartImport").remove(0);
    let source = &asked.sources[0];
    assert_eq!((source.uri.as_str(), source.destination.as_str()), ("s3://b/raw/", "raw/"));
    let commit = asked.commit.as_ref().unwrap();
    assert_eq!((commit.message.as_str(), commit.metadata["job"].as_str()), ("raw", "42"));
}

#[tokio::test]
async fn one_that_is_left_alone_is_named_and_one_that_ends_badly_says_so() {
    let lake = Lake::start().await;
    for _ in 0..2 {
        lake.on("ImportService/StartImport", reply(proto::ImportStatus::Running, 0));
    }
    let words = ["import", "s3://b/raw/", "braid://lake/main/raw/"];
    let begun = ran(&lake, &[&words[..], &["--detach"]].concat()).await;
    assert_eq!(begun.lines(), [format!("import {} goes on", "0a".repeat(16))]);
    let failed = proto::Import {
        error_code: "dirty_branch".into(),
        error_message: "branch 'main' has uncommitted changes: commit or reset them first".into(),
        ..import(proto::ImportStatus::Failed, 7)
    };
    lake.on("ImportService/GetImport", Reply::ok(&failed));
    let shown = ran(&lake, &words).await;
    assert_eq!(shown.exit, Exit::Refused);
    assert!(shown.stderr.starts_with("error: branch 'main' has uncommitted changes"), "{}", shown.stderr);
    let id = "0a".repeat(16);
    lake.on("ImportService/GetImport", reply(proto::ImportStatus::Cancelled, 7));
    let followed = ran(&lake, &["import", "--follow", &id, "braid://lake/main/"]).await;
    assert_eq!(followed.stderr, format!("error: import '{id}' was cancelled: nothing was changed\n"));
}

#[tokio::test]
async fn an_interrupt_cancels_it() {
    let lake = Lake::start().await;
    lake.on("ImportService/StartImport", reply(proto::ImportStatus::Running, 0));
    let over = Error::new(Code::ImportOver, "i", "over");
    lake.on("ImportService/CancelImport", Reply::error(over));
    let began = lake.clone();
    let interrupted = async move {
        while began.asked::<proto::GetImportRequest>("ImportService/GetImport").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    for _ in 0..50 {
        lake.on("ImportService/GetImport", reply(proto::ImportStatus::Running, 1));
    }
    let got = braid(&lake, &["import", "s3://b/raw/", "braid://lake/main/raw/"]).interrupted(interrupted);
    let got = got.run().await;
    assert_eq!((got.exit, got.stderr.as_str()), (Exit::Interrupted, "error: interrupted\n"));
    assert_eq!(lake.asked::<proto::CancelImportRequest>("ImportService/CancelImport").len(), 1);
}
