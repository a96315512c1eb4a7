//! A whole server in this process, called over gRPC by clients with a connection each, all on one machine: client and server
//! share its processors.
//!
//! The floors are a call that does nothing but answer, and appending a page to a file and syncing it in the same folder. A
//! staged put is durable when it is answered; that its rate can be above that of syncs is group commit.

mod fleet;
mod floor;
mod pool;
mod staging;

use std::time::{Duration, Instant};

use anyhow::Context;
use braid::{Server, ServerConfig, StorageConfig};
use braid_client::CommitBranch;

use crate::figures::Figures;
use crate::timing::{ROUNDS, middle};
use fleet::Fleet;
use pool::Pool;

const CLIENTS: usize = 64;
/// Objects that are uploaded, staged and read.
const OBJECTS: usize = 5000;
/// Changes of one commit.
const CHANGES: usize = 1000;
/// Calls of a round that only reads.
const READS: usize = 20_000;

/// What the service's figures stand beside.
struct Floors {
    echo: f64,
    syncs: f64,
}

pub(crate) fn measure(figures: &mut Figures) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder =
        tempfile::Builder::new().prefix("braid-benches-").tempdir().context("no temporary folder")?;
    runtime.block_on(async {
        let loopback = "127.0.0.1:0".parse()?;
        let config = ServerConfig {
            data: folder.path().join("data"),
            grpc: loopback,
            http: loopback,
            public_url: None,
            storage: StorageConfig::Local,
        };
        let server = Box::pin(Server::start(config)).await?;
        let fleet = Fleet::connect(&server, CLIENTS).await?;
        let measured = Box::pin(measure_server(figures, fleet, folder.path())).await;
        let stopped = Box::pin(server.stop()).await;
        measured.and(stopped)
    })
}

async fn measure_server(figures: &mut Figures, fleet: Fleet, folder: &std::path::Path) -> anyhow::Result<()> {
    let floors = floors(figures, &fleet, folder).await?;
    let pool = Pool::upload(&fleet, OBJECTS).await?;
    staging::measure(figures, &fleet, &pool, &floors).await?;
    stats(figures, "staged", &fleet, &pool, &floors).await?;
    commit(&fleet, &pool).await?;
    stats(figures, "committed", &fleet, &pool, &floors).await?;
    commits(figures, &fleet, &pool, &floors).await
}

async fn floors(figures: &mut Figures, fleet: &Fleet, folder: &std::path::Path) -> anyhow::Result<Floors> {
    let echo = median_of_calls(async || {
        fleet
            .each(vec![(); READS], |client, ()| async move { Ok(client.server_info().await.map(drop)?) })
            .await
    });
    let echo = figures.rate("grpc_echo_per_s", READS, echo.await?, "calls/s")?;
    let (syncs, took) = floor::syncs(folder)?;
    let syncs = figures.rate("fdatasync_per_s", syncs, took, "syncs/s")?;
    Ok(Floors { echo, syncs })
}

/// Asks for every object several times, at the branch.
async fn stats(
    figures: &mut Figures,
    state: &str,
    fleet: &Fleet,
    pool: &Pool,
    floors: &Floors,
) -> anyhow::Result<()> {
    let time = median_of_calls(async || {
        let calls = pool.links.iter().cycle().take(READS);
        let calls = calls.map(|link| (pool.repository.clone(), pool.reference.clone(), link.path.clone()));
        let stat = |client: braid_client::Client, (repository, reference, path): (_, _, _)| async move {
            Ok(client.stat_object(&repository, &reference, &path).await.map(drop)?)
        };
        fleet.each(calls.collect(), stat).await
    });
    let stats = figures.rate(&format!("stat_per_s_{state}"), READS, time.await?, "calls/s")?;
    figures.ratio(&format!("stat_{state}_of_echo"), stats, floors.echo)
}

/// Each round commits `CHANGES` puts to a tree of the other objects.
async fn commits(figures: &mut Figures, fleet: &Fleet, pool: &Pool, floors: &Floors) -> anyhow::Result<()> {
    let (client, changed) = (fleet.first(), &pool.links[..CHANGES]);
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let paths = changed.iter().map(|link| link.path.clone()).collect();
        client.delete_objects(&pool.repository, &pool.branch, paths).await?;
        commit(fleet, pool).await?;
        client.link_uploads(&pool.repository, &pool.branch, changed.to_vec()).await?;
        times.push(commit(fleet, pool).await?);
    }
    let time = middle(times);
    figures.time("commit_1k_changes_ms", time)?;
    figures.ratio("commit_1k_changes_in_fdatasyncs", time.as_secs_f64() * floors.syncs, 1.0)
}

async fn commit(fleet: &Fleet, pool: &Pool) -> anyhow::Result<Duration> {
    let request = CommitBranch {
        repository: pool.repository.clone(),
        branch: pool.branch.clone(),
        message: "changes".to_owned(),
        metadata: std::collections::BTreeMap::new(),
        allow_empty: false,
        date: None,
    };
    let started = Instant::now();
    fleet.first().commit(request).await?;
    Ok(started.elapsed())
}

async fn median_of_calls(
    mut round: impl AsyncFnMut() -> anyhow::Result<Duration>,
) -> anyhow::Result<Duration> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        times.push(round().await?);
    }
    Ok(middle(times))
}
