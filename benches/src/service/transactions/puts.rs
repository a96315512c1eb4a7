//! Durable staged puts. The floor is a loop that commits the same rows to a store of the same kind, in batches.

use std::path::Path;
use std::time::{Duration, Instant};

use braid_client::{Client, Link, ResetScope};
use braid_kv::{Mode, Outcome};
use braid_types::{BranchName, RepositoryName};
use bytes::Bytes;

use super::super::backend::Backend;
use super::super::fleet::Fleet;
use super::super::pool::Pool;
use crate::figures::Figures;
use crate::timing::{ROUNDS, middle};

const OBJECTS: usize = 20_000;
/// Rows of a batch of the floor are those of so many puts.
const BATCH: usize = 64;
/// Puts that one client has under way at a time.
const SOME: usize = 64;
/// Puts of a client that are under way at a time, so that 1,024 are in all: each a call, or all in one call.
const DEEP: usize = 16;
/// What a put writes, in bytes of key and value: the entry, the row of the change log, and the result of the request.
const ROWS: [(usize, usize); 3] = [(64, 200), (32, 420), (48, 90)];

type Put<T> = (RepositoryName, BranchName, T);

pub(super) async fn measure(
    figures: &mut Figures,
    backend: &Backend,
    fleet: &Fleet,
    folder: &Path,
) -> anyhow::Result<()> {
    let pool = Pool::upload(fleet, OBJECTS).await?;
    let deep = fleet.deep(DEEP);
    let (mut floors, mut together, mut some) = (Vec::new(), Vec::new(), Vec::new());
    let (mut calls, mut many) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        floors.push(floor(backend, folder, round).await?);
        some.push(put_all(fleet, &pool).await?);
        together.push(put_all(&fleet.some(1).deep(SOME), &pool).await?);
        calls.push(put_all(&deep, &pool).await?);
        many.push(put_batches(fleet, &pool).await?);
    }
    let rate = |times| OBJECTS as f64 / middle(times).as_secs_f64();
    let (floor, together, some) = (rate(floors), rate(together), rate(some));
    figures.rate(&backend.name("put_floor_per_s"), 1, Duration::from_secs_f64(1.0 / floor), "puts/s")?;
    figures.rate(&backend.name("put_64_per_s"), 1, Duration::from_secs_f64(1.0 / together), "puts/s")?;
    figures.ratio(&backend.name("put_64_of_floor"), together, floor)?;
    figures.rate(&backend.name("put_64_clients_per_s"), 1, Duration::from_secs_f64(1.0 / some), "puts/s")?;
    figures.ratio(&backend.name("put_64_clients_of_floor"), some, floor)?;
    figures.rate(&backend.name("put_1024_calls_per_s"), OBJECTS, middle(calls), "puts/s")?;
    figures.rate(&backend.name("put_1024_per_s"), OBJECTS, middle(many), "puts/s").map(drop)
}

/// Puts every object where nothing is staged.
async fn put_all(fleet: &Fleet, pool: &Pool) -> anyhow::Result<Duration> {
    fleet.first().reset_branch(&pool.repository, &pool.branch, ResetScope::All).await?;
    let calls = pool.links.iter().map(|link| (pool.repository.clone(), pool.branch.clone(), link.clone()));
    let put = |client: Client, (repository, branch, link): Put<Link>| async move {
        Ok(client.link_upload(&repository, &branch, link).await.map(drop)?)
    };
    fleet.each(calls.collect(), put).await
}

/// The same, with several objects in each call.
async fn put_batches(fleet: &Fleet, pool: &Pool) -> anyhow::Result<Duration> {
    fleet.first().reset_branch(&pool.repository, &pool.branch, ResetScope::All).await?;
    let batches = pool.links.chunks(DEEP);
    let calls = batches.map(|links| (pool.repository.clone(), pool.branch.clone(), links.to_vec()));
    let put = |client: Client, (repository, branch, links): Put<Vec<Link>>| async move {
        Ok(client.link_uploads(&repository, &branch, links).await.map(drop)?)
    };
    fleet.each(calls.collect(), put).await
}

/// Commits the rows of as many puts, batch by batch.
async fn floor(backend: &Backend, folder: &Path, round: usize) -> anyhow::Result<Duration> {
    let folder = folder.join(format!("bare-{round}"));
    std::fs::create_dir_all(&folder)?;
    let store = backend.bare_store(&folder).await?;
    let started = Instant::now();
    for batch in 0..OBJECTS / BATCH {
        let mut transaction = store.begin(Mode::Optimistic).await?;
        for put in 0..BATCH {
            for (row, (key, value)) in ROWS.into_iter().enumerate() {
                let name = format!("{round:02}/{row}/{:08}/", batch * BATCH + put);
                let key: Bytes = name.bytes().chain(std::iter::repeat(b'k')).take(key).collect();
                transaction.put(key, vec![b'v'; value].into());
            }
        }
        let outcome = transaction.commit().await;
        anyhow::ensure!(matches!(outcome, Outcome::Committed(_)), "the floor's commit ended as {outcome:?}");
    }
    Ok(started.elapsed())
}
