use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use braid_client::{ClientConfig, Credentials, RetryPolicy};
use braid_types::Code;
use futures::future::join_all;

use super::support::*;

const WRITERS: usize = 6;
const WRITES: usize = 8;

/// What a committer may be told beside that it committed.
fn tolerable(code: Code) -> bool {
    matches!(code, Code::NothingToCommit | Code::Conflict)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_written_while_others_commit_is_lost() {
    let (node, client) = Node::with_lake().await;
    let node = Arc::new(node);
    let credentials = Some(Credentials::new(&node.key.id, node.key.secret.expose()).unwrap());
    let patient = node.connect(&ClientConfig { credentials, retry: RetryPolicy::default(), ..node.config() });
    let written = Arc::new(AtomicBool::new(false));
    let writers = (0..WRITERS).map(|writer| {
        let (node, client) = (Arc::clone(&node), patient.clone());
        tokio::spawn(async move {
            for index in 0..WRITES {
                node.write(&client, &main_branch(), &format!("{writer}/{index}"), "x").await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let committers = (0..2).map(|committer| {
        let (client, written) = (client.clone(), Arc::clone(&written));
        tokio::spawn(async move {
            while !written.load(Ordering::Acquire) {
                if let Err(error) = commit(&client, &main_branch(), &committer.to_string()).await {
                    assert!(tolerable(error.code()), "{error}");
                }
            }
        })
    });
    let committers: Vec<_> = committers.collect();
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    written.store(true, Ordering::Release);
    join_all(committers).await.into_iter().for_each(Result::unwrap);
    if let Err(error) = commit(&client, &main_branch(), "the rest").await {
        assert_eq!(error.code(), Code::NothingToCommit);
    }
    let mut expected: Vec<_> =
        (0..WRITERS).flat_map(|writer| (0..WRITES).map(move |index| format!("{writer}/{index}"))).collect();
    expected.sort_unstable();
    assert_eq!(paths(&client, "main@").await, expected);
}
