//! Dumping the references of a repository with many commits, and restoring them.
//!
//! Client and server are one process, so the memory that either takes is measured together. Both read and write one small part at a
//! time: what they take must not grow with the number of commits.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use braid_client::{
    Client, CommitBranch, CreateRepository, DumpEvent, Entries, RefsProgress, RestoreEvent, RestoreRefs,
};
use braid_types::{BranchName, RepositoryName};
use futures::TryStreamExt;

use super::fleet::Fleet;
use crate::figures::Figures;
use crate::machine::{forget_peak, peak_bytes, resident_bytes};

/// How many commits there are, one on top of the other.
const COMMITS: usize = 100_000;
/// Commits that each client has under way at a time: they line up, and are published together.
const DEEP: usize = 8;

pub(super) async fn measure(figures: &mut Figures, fleet: &Fleet) -> anyhow::Result<()> {
    let (client, repository) = (fleet.first(), RepositoryName::new("references")?);
    let namespace = make(fleet, &repository).await?;
    let dump = watch(client.dump_refs(&repository), |event| match event {
        DumpEvent::Progress(progress) => Ok(progress),
        DumpEvent::Done(done) => Err(done.commits),
    });
    dump.await?.print(figures, "dump")?;
    client.delete_repository(&repository).await?;
    let request = RestoreRefs {
        repository,
        manifest: None,
        storage_namespace: Some(namespace),
        default_branch: None,
        take_over: false,
    };
    let restore = watch(client.restore_refs(request), |event| match event {
        RestoreEvent::Progress(progress) => Ok(progress),
        RestoreEvent::Done(done) => Err(done.commits),
    });
    restore.await?.print(figures, "restore")
}

/// Makes the repository, which has one commit then, and the other commits; gives its storage namespace.
async fn make(fleet: &Fleet, repository: &RepositoryName) -> anyhow::Result<String> {
    let branch = BranchName::new("main")?;
    let (storage_namespace, default_branch) = (None, Some(branch.clone()));
    let create = CreateRepository { name: repository.clone(), storage_namespace, default_branch };
    let made = fleet.first().create_repository(create).await?;
    let commit = move |client: Client, request: CommitBranch| async move {
        Ok(client.commit(request).await.map(drop)?)
    };
    let request = |number: usize| CommitBranch {
        repository: repository.clone(),
        branch: branch.clone(),
        message: format!("commit {number}"),
        metadata: BTreeMap::new(),
        allow_empty: true,
        date: None,
    };
    fleet.deep(DEEP).each((1..COMMITS).map(request).collect(), commit).await?;
    Ok(made.storage_namespace)
}

/// What a dump or a restore took.
struct Watched {
    time: Duration,
    /// Bytes of memory beyond those before.
    memory: u64,
    words: u64,
}

/// Follows a dump or a restore to its end, which says how many commits it was.
async fn watch<Event>(
    mut events: Entries<Event>,
    read: impl Fn(Event) -> Result<RefsProgress, u64>,
) -> anyhow::Result<Watched> {
    let before = resident_bytes()?;
    forget_peak()?;
    let (started, mut words) = (Instant::now(), 0);
    while let Some(event) = events.try_next().await? {
        match read(event) {
            Ok(_) => words += 1,
            Err(commits) => {
                anyhow::ensure!(commits == COMMITS as u64, "it was {commits} commits, not {COMMITS}");
                let memory = peak_bytes()?.saturating_sub(before);
                return Ok(Watched { time: started.elapsed(), memory, words });
            }
        }
    }
    None.context("it broke off")
}

impl Watched {
    fn print(&self, figures: &mut Figures, what: &str) -> anyhow::Result<()> {
        figures.time(&format!("{what}_100k_commits_ms"), self.time)?;
        figures.count(&format!("{what}_100k_commits_kib"), self.memory / 1024, "KiB")?;
        figures.count(&format!("{what}_100k_commits_words"), self.words, "words of progress")
    }
}
