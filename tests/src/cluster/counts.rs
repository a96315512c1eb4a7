//! What operations ask of the cluster.

use braid_client::{Body, Link, UploadOptions, UploadTarget};
use braid_tikv::testing::{Call, Counts};
use futures::future::try_join_all;

use super::*;
use crate::lake::{branch, commit, create_lake, lake, path, reference, write};

/// A node, a client of it, and a repository that both have seen.
struct Measured {
    installation: Installation,
    _node: Node,
    client: Client,
}

impl Measured {
    async fn new(options: Options) -> Self {
        let installation = Installation::new(options).await;
        let node = installation.node().await;
        let key = node.server().create_key("ada").await.unwrap();
        let client = node.client(&key);
        create_lake(&client).await;
        for at in ["a", "b"] {
            write(&client, "main", at, "1").await;
        }
        client.stat_object(&lake(), &reference("main"), &path("a")).await.unwrap();
        Self { installation, _node: node, client }
    }

    /// What `work` asks of the cluster.
    async fn of<T>(&self, work: impl Future<Output = T>) -> (T, Counts) {
        let cluster = self.installation.cluster();
        cluster.unlocked().await;
        cluster.take_counts();
        let done = work.await;
        cluster.unlocked().await;
        (done, cluster.take_counts())
    }

    /// Uploads objects, and leaves it to the caller to stage them.
    async fn uploaded(&self, folder: &str, count: usize) -> Vec<Link> {
        let target = |number| UploadTarget {
            path: path(&format!("{folder}/{number}")),
            content_type: String::new(),
            size: Some(1),
        };
        let targets = (0..count).map(target).collect();
        let uploads = self.client.create_uploads(&lake(), &branch("main"), targets).await.unwrap();
        let puts = uploads.into_iter().map(|upload| async move {
            let body = Body::from(bytes::Bytes::from_static(b"1"));
            let options = UploadOptions { if_absent: true, ..UploadOptions::default() };
            self.client.put(&lake(), &branch("main"), upload, &body, &options).await
        });
        try_join_all(puts).await.unwrap()
    }
}

/// Calls of stores and of PD, beside timestamps.
fn calls(counts: &Counts) -> u64 {
    counts.total() - counts.of(Call::Tso)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_puts_takes_three_calls_and_two_timestamps_however_many_they_are() {
    let measured = Measured::new(Options::default()).await;
    for count in [1, 10, 200] {
        let links = measured.uploaded(&format!("batch-{count}"), count).await;
        let (staged, counts) =
            measured.of(measured.client.link_uploads(&lake(), &branch("main"), links)).await;
        staged.unwrap();
        assert!(calls(&counts) <= 3, "{count} puts: {counts:?}");
        assert!(counts.of(Call::Tso) <= 2, "{count} puts: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_puts_over_several_regions_takes_three_calls_in_sequence() {
    // Results of requests on one side, entries on the other.
    let options = Options { split_at: vec!["Br".into()], ..Options::default() };
    let measured = Measured::new(options).await;
    let links = measured.uploaded("batch", 200).await;
    let (staged, counts) = measured.of(measured.client.link_uploads(&lake(), &branch("main"), links)).await;
    staged.unwrap();
    // One call of each kind a region, at the same time: a reading, a first phase, a second phase.
    for call in [Call::KvBatchGet, Call::KvPrewrite, Call::KvCommit] {
        assert!(counts.of(call) <= 2, "{counts:?}");
    }
    let kinds = counts.iter().filter(|(call, _)| *call != Call::Tso).count();
    assert!(kinds <= 3, "{counts:?}");
    assert!(counts.of(Call::Tso) <= 2, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_staged_object_is_found_with_two_calls() {
    let measured = Measured::new(Options::default()).await;
    let (found, counts) =
        measured.of(measured.client.stat_object(&lake(), &reference("main"), &path("a"))).await;
    found.unwrap();
    assert!(calls(&counts) <= 2, "{counts:?}");
    assert_eq!(counts.of(Call::Tso), 1, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_asks_no_more_for_more_objects_and_publishes_with_three_calls() {
    let measured = Measured::new(Options::default()).await;
    for count in [1, 100] {
        let links = measured.uploaded(&format!("batch-{count}"), count).await;
        measured.client.link_uploads(&lake(), &branch("main"), links).await.unwrap();
        let (committed, counts) = measured.of(commit(&measured.client, "main")).await;
        committed.unwrap();
        // The queue reads once, publishing once, and writes in two phases at most; the seal before it writes as well.
        let of = |call| counts.of(call);
        assert!(of(Call::KvBatchGet) <= 2, "{count} objects: {counts:?}");
        assert!(of(Call::KvPrewrite) <= 2 && of(Call::KvCommit) <= 2, "{count} objects: {counts:?}");
        // The branch, and each stripe of its fence.
        assert_eq!(of(Call::KvPessimisticLock), 9, "{count} objects: {counts:?}");
        assert!(of(Call::KvGet) + of(Call::KvScan) <= 10, "{count} objects: {counts:?}");
    }
}
