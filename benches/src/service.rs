//! A whole server in this process, called over gRPC by clients with a connection each, all on one machine: client and server
//! share its processors.
//!
//! The floors are a call that does nothing but answer, and appending a page to a file and syncing it in the folder of the data.
//! A staged put is durable when it is answered; that its rate can be above that of syncs is group commit.

mod backend;
mod fleet;
mod floor;
mod gateway;
mod http;
mod merging;
mod mutations;
mod pool;
mod references;
mod staging;
mod transactions;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use braid::{Server, ServerConfig};
use braid_client::{Client, CommitBranch, Link};

use crate::figures::Figures;
use fleet::Fleet;
use floor::Floors;
use pool::Pool;

const CLIENTS: usize = 64;
/// Objects that are uploaded, staged and read.
const OBJECTS: usize = 5000;
/// Changes of one commit.
const CHANGES: usize = 1000;
/// Calls of a round that only reads.
const STATS: usize = 20_000;

/// Staging, reading and committing.
pub(crate) fn measure(figures: &mut Figures) -> anyhow::Result<()> {
    serve(async |_, fleet, folder| measure_server(figures, fleet, folder).await)
}

/// Merging many branches into one.
pub(crate) fn measure_merging(figures: &mut Figures) -> anyhow::Result<()> {
    serve(async |_, fleet, folder| merging::measure(figures, fleet, folder).await)
}

/// The REST and S3 APIs beside gRPC.
pub(crate) fn measure_gateway(figures: &mut Figures) -> anyhow::Result<()> {
    serve(async |server, fleet, _| gateway::measure(figures, server, fleet).await)
}

/// Dumping and restoring references.
pub(crate) fn measure_references(figures: &mut Figures) -> anyhow::Result<()> {
    serve(async |_, fleet, _| references::measure(figures, fleet).await)
}

/// Transactions, on each backend.
pub(crate) fn measure_transactions(figures: &mut Figures) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(Box::pin(transactions::measure(figures)))
}

/// Starts a server with its clients for `work`, which is given a folder on the disk of the server's data.
fn serve(work: impl AsyncFnOnce(&Server, &Fleet, &Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder =
        tempfile::Builder::new().prefix("braid-benches-").tempdir().context("no temporary folder")?;
    runtime.block_on(async {
        let config = ServerConfig::in_folder(folder.path().join("data"));
        let server = Box::pin(Server::start(config)).await?;
        let fleet = Fleet::connect(&server, CLIENTS).await?;
        let measured = Box::pin(work(&server, &fleet, folder.path())).await;
        let stopped = Box::pin(server.stop()).await;
        measured.and(stopped)
    })
}

async fn measure_server(figures: &mut Figures, fleet: &Fleet, folder: &Path) -> anyhow::Result<()> {
    let pool = Pool::upload(fleet, OBJECTS).await?;
    let mut floors = Floors::new(fleet, folder);
    staging::measure(figures, fleet, &pool, &mut floors).await?;
    stats(figures, "staged", fleet, &pool, &mut floors).await?;
    commit(fleet, &pool).await?;
    stats(figures, "committed", fleet, &pool, &mut floors).await?;
    commits(figures, fleet, &pool, &mut floors).await?;
    floors.print(figures)
}

/// Asks for every object several times, at the branch.
async fn stats(
    figures: &mut Figures,
    state: &str,
    fleet: &Fleet,
    pool: &Pool,
    floors: &mut Floors<'_>,
) -> anyhow::Result<()> {
    let stat = |client: Client, (repository, reference, path): (_, _, _)| async move {
        Ok(client.stat_object(&repository, &reference, &path).await.map(drop)?)
    };
    let of = |link: &Link| (pool.repository.clone(), pool.reference.clone(), link.path.clone());
    let round = async || fleet.each(pool.links.iter().cycle().take(STATS).map(of).collect(), stat).await;
    let beside = floors.beside(round).await?;
    let stats = figures.rate(&format!("stat_per_s_{state}"), STATS, beside.time, "calls/s")?;
    figures.ratio(&format!("stat_{state}_of_echo"), stats, beside.echoes_per_s)
}

/// Each round commits `CHANGES` puts to a tree of the other objects.
async fn commits(
    figures: &mut Figures,
    fleet: &Fleet,
    pool: &Pool,
    floors: &mut Floors<'_>,
) -> anyhow::Result<()> {
    let (client, changed) = (fleet.first(), &pool.links[..CHANGES]);
    let round = async || {
        let paths = changed.iter().map(|link| link.path.clone()).collect();
        client.delete_objects(&pool.repository, &pool.branch, paths).await?;
        commit(fleet, pool).await?;
        client.link_uploads(&pool.repository, &pool.branch, changed.to_vec()).await?;
        commit(fleet, pool).await
    };
    let beside = floors.beside(round).await?;
    figures.time("commit_1k_changes_ms", beside.time)?;
    figures.ratio("commit_1k_changes_in_fdatasyncs", beside.time.as_secs_f64(), 1.0 / beside.syncs_per_s)
}

async fn commit(fleet: &Fleet, pool: &Pool) -> anyhow::Result<Duration> {
    let request = CommitBranch {
        repository: pool.repository.clone(),
        branch: pool.branch.clone(),
        message: "changes".to_owned(),
        metadata: BTreeMap::new(),
        allow_empty: false,
        date: None,
    };
    let started = Instant::now();
    fleet.first().commit(request).await?;
    Ok(started.elapsed())
}
