//! Many clients at work on one repository, and what they were told: nothing of that may be lost.
//!
//! Writers put pairs of paths on `main`, each pair in one transaction; committers commit `main`; mergers merge it into
//! `trunk`. Whoever reads must find both paths of a pair or neither.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use braid_client::{Body, Client, Link, UploadOptions, UploadTarget};
use braid_types::{Code, CommitId, Entry, Error};
use futures::future::try_join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::lake::{
    branch, commit, create_branch, create_lake, history, lake, listing, merge, path, read, reference,
};

/// Longer than anything here takes, to fail instead of hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// What clients were told that it was done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// Paths that were written; each holds its own name.
    pub(crate) paths: Vec<String>,
    /// Commits of `main`.
    pub(crate) commits: Vec<CommitId>,
    /// Merges into `trunk`.
    pub(crate) merges: Vec<CommitId>,
}

/// Clients at work, until they are stopped.
pub(crate) struct Traffic {
    told: Arc<watch::Sender<Told>>,
    stop: CancellationToken,
    clients: JoinSet<()>,
}

impl Traffic {
    /// Makes the repository, in which nobody is at work yet.
    pub(crate) async fn prepare(client: &Client) -> Self {
        create_lake(client).await;
        create_branch(client, "trunk", "main").await;
        Self {
            told: Arc::new(watch::Sender::new(Told::default())),
            stop: CancellationToken::new(),
            clients: JoinSet::new(),
        }
    }

    /// Adds a writer. What it is told is seen by `witness` from then on.
    pub(crate) fn write(&mut self, name: &str, client: &Client, witness: &Client) {
        let (client, witness, name) = (client.clone(), witness.clone(), name.to_owned());
        let (told, stop) = (Arc::clone(&self.told), self.stop.clone());
        self.clients.spawn(async move {
            for round in 0.. {
                if stop.is_cancelled() {
                    return;
                }
                let pair = [format!("left/{name}-{round}"), format!("right/{name}-{round}")];
                put_pair(&client, &pair).await;
                witness.stat_object(&lake(), &reference("main"), &path(&pair[0])).await.unwrap();
                told.send_modify(|told| told.paths.extend(pair));
            }
        });
    }

    /// Adds a committer.
    pub(crate) fn commit(&mut self, client: &Client) {
        let client = client.clone();
        self.repeat(move |told| {
            let client = client.clone();
            async move {
                if let Some(id) = settled(commit(&client, "main").await.map(|commit| commit.id)) {
                    told.send_modify(|told| told.commits.push(id));
                }
            }
        });
    }

    /// Adds a merger.
    pub(crate) fn merge(&mut self, client: &Client) {
        let client = client.clone();
        self.repeat(move |told| {
            let client = client.clone();
            async move {
                if let Some(id) = settled(merge(&client, "main", "trunk").await.map(|commit| commit.id)) {
                    told.send_modify(|told| told.merges.push(id));
                }
            }
        });
    }

    /// Adds a reader.
    pub(crate) fn read(&mut self, client: &Client) {
        let client = client.clone();
        self.repeat(move |_| {
            let client = client.clone();
            async move { assert_whole(&client).await }
        });
    }

    /// Does `turn` each time that someone was told something.
    fn repeat<F>(&mut self, turn: impl Fn(Arc<watch::Sender<Told>>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (told, stop, mut news) = (Arc::clone(&self.told), self.stop.clone(), self.told.subscribe());
        self.clients.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    changed = news.changed() => changed.unwrap(),
                }
                turn(Arc::clone(&told)).await;
            }
        });
    }

    /// Waits until so many more writes, commits and merges were done; fails if a client does.
    pub(crate) async fn more(&mut self, paths: usize, commits: usize, merges: usize) {
        let before = self.told();
        let mut news = self.told.subscribe();
        let enough = news.wait_for(|told| {
            told.paths.len() >= before.paths.len() + paths
                && told.commits.len() >= before.commits.len() + commits
                && told.merges.len() >= before.merges.len() + merges
        });
        tokio::select! {
            enough = tokio::time::timeout(PATIENCE, enough) => drop(enough.expect("clients get on").unwrap()),
            Some(ended) = self.clients.join_next() => panic!("a client ended: {ended:?}"),
        }
    }

    /// What clients were told up to now.
    pub(crate) fn told(&self) -> Told {
        self.told.borrow().clone()
    }

    /// Checks that what was told before this call is there, and nothing half. Work may go on.
    pub(crate) async fn check(&self, client: &Client) {
        check(&self.told(), client).await;
    }

    /// Lets the clients finish what they are at, commits and merges what is left, and checks all of it to the last byte.
    pub(crate) async fn finish(mut self, client: &Client) -> Told {
        self.stop.cancel();
        let ended = async {
            while let Some(ended) = self.clients.join_next().await {
                ended.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("clients finish");
        settled(commit(client, "main").await);
        settled(merge(client, "main", "trunk").await);
        self.check(client).await;
        let told = self.told();
        let found = listing(client, "trunk@").await;
        assert_eq!(found, listing(client, "main").await);
        assert_eq!(found.len(), told.paths.len(), "more is there than was ever acknowledged");
        for path in told.paths.iter().step_by(7) {
            assert_eq!(read(client, "trunk@", path).await, *path);
        }
        told
    }
}

/// Checks that `client` sees what was told, and nothing half.
pub(crate) async fn check(told: &Told, client: &Client) {
    let found = listing(client, "main").await;
    for path in &told.paths {
        assert!(found.contains_key(path), "'{path}' was acknowledged and is lost");
    }
    assert_has(&history(client, "main").await, &told.commits);
    assert_has(&history(client, "trunk").await, &told.merges);
    assert_whole(client).await;
}

/// Uploads both paths of a pair, which must be new, and stages them in one transaction.
async fn put_pair(client: &Client, pair: &[String; 2]) {
    let options = UploadOptions { if_absent: true, ..UploadOptions::default() };
    let target = |at: &String| UploadTarget {
        path: path(at),
        content_type: String::new(),
        size: Some(at.len() as u64),
    };
    let main = branch("main");
    let uploads = client.create_uploads(&lake(), &main, pair.iter().map(target).collect()).await.unwrap();
    let puts = uploads.into_iter().map(|upload| {
        let body = Body::from(bytes::Bytes::from(upload.path.to_string()));
        let (main, options) = (&main, &options);
        async move { client.put(&lake(), main, upload, &body, options).await }
    });
    let links: Vec<Link> = try_join_all(puts).await.unwrap();
    client.link_uploads(&lake(), &main, links).await.unwrap();
}

/// What was done, if anything: to lose a race, or to have nothing to do, is no failure.
#[track_caller]
fn settled<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(error) => {
            let code = error.code();
            let harmless = [Code::NothingToCommit, Code::NothingToMerge, Code::Conflict, Code::Busy];
            assert!(harmless.contains(&code) && !error.may_have_happened(), "{code}: {error}");
            None
        }
    }
}

fn assert_has(history: &[CommitId], told: &[CommitId]) {
    let all: BTreeSet<&CommitId> = history.iter().collect();
    assert_eq!(all.len(), history.len(), "a commit is twice in history");
    for id in told {
        assert!(all.contains(id), "commit {id} was acknowledged and is lost");
    }
}

/// Every ref shows whole transactions only.
async fn assert_whole(client: &Client) {
    for at in ["main", "main@", "trunk"] {
        let found = listing(client, at).await;
        let (left, right) = (names(&found, "left/"), names(&found, "right/"));
        assert_eq!(left, right, "half a transaction is seen at '{at}'");
    }
}

fn names<'a>(found: &'a BTreeMap<String, Entry>, folder: &str) -> BTreeSet<&'a str> {
    found.keys().filter_map(|path| path.strip_prefix(folder)).collect()
}
