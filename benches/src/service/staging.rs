//! Staging: links of objects that were uploaded before, and deletes, each a call and a durable change of its own.
//!
//! A link also looks the object up in the object store; a delete does not.

use std::time::{Duration, Instant};

use braid_client::{Client, Link, ResetScope};
use braid_types::{BranchName, ObjectPath, RepositoryName};

use super::OBJECTS;
use super::fleet::Fleet;
use super::floor::Floors;
use super::pool::Pool;
use crate::figures::Figures;
use crate::timing::middle;

/// Calls of the client that is alone.
const ALONE: usize = 100;

/// What a call that links or deletes is made with.
type Call<T> = (RepositoryName, BranchName, T);

/// Leaves every object staged.
pub(super) async fn measure(
    figures: &mut Figures,
    fleet: &Fleet,
    pool: &Pool,
    floors: &mut Floors<'_>,
) -> anyhow::Result<()> {
    let beside = floors.beside(async || link_into_empty(fleet, pool).await).await?;
    let puts = figures.rate("staged_puts_per_s_64_clients", OBJECTS, beside.time, "calls/s")?;
    figures.ratio("staged_puts_of_echo", puts, beside.echoes_per_s)?;
    figures.ratio("staged_puts_of_fdatasync", puts, beside.syncs_per_s)?;

    let relinked_and_deleted = async || {
        link_into_empty(fleet, pool).await?;
        delete_each(fleet, pool).await
    };
    let beside = floors.beside(relinked_and_deleted).await?;
    let deletes = figures.rate("staged_deletes_per_s_64_clients", OBJECTS, beside.time, "calls/s")?;
    figures.ratio("staged_deletes_of_echo", deletes, beside.echoes_per_s)?;

    let beside = floors.beside(async || link_alone(fleet, pool).await).await?;
    figures.time("staged_put_ms_1_client", beside.time)?;
    let syncs = beside.time.as_secs_f64() * beside.syncs_per_s;
    figures.ratio("staged_put_1_client_in_fdatasyncs", syncs, 1.0)?;
    link_into_empty(fleet, pool).await.map(drop)
}

/// How long it takes to link every object, where nothing is staged before.
async fn link_into_empty(fleet: &Fleet, pool: &Pool) -> anyhow::Result<Duration> {
    fleet.first().reset_branch(&pool.repository, &pool.branch, ResetScope::All).await?;
    link_each(fleet, pool).await
}

async fn link_each(fleet: &Fleet, pool: &Pool) -> anyhow::Result<Duration> {
    let calls = pool.links.iter().map(|link| (pool.repository.clone(), pool.branch.clone(), link.clone()));
    let link = |client: Client, (repository, branch, link): Call<Link>| async move {
        Ok(client.link_upload(&repository, &branch, link).await.map(drop)?)
    };
    fleet.each(calls.collect(), link).await
}

/// How long it takes to delete every object.
async fn delete_each(fleet: &Fleet, pool: &Pool) -> anyhow::Result<Duration> {
    let calls =
        pool.links.iter().map(|link| (pool.repository.clone(), pool.branch.clone(), link.path.clone()));
    let delete = |client: Client, (repository, branch, path): Call<ObjectPath>| async move {
        Ok(client.delete_object(&repository, &branch, &path).await.map(drop)?)
    };
    fleet.each(calls.collect(), delete).await
}

/// The median time of a link while nobody else calls.
async fn link_alone(fleet: &Fleet, pool: &Pool) -> anyhow::Result<Duration> {
    let mut times = Vec::with_capacity(ALONE);
    for link in pool.links.iter().take(ALONE) {
        let started = Instant::now();
        fleet.first().link_upload(&pool.repository, &pool.branch, link.clone()).await?;
        times.push(started.elapsed());
    }
    Ok(middle(times))
}
