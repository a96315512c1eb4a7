//! Staging: links of objects that were uploaded before, and deletes, each a call and a durable change of its own.
//!
//! A link also looks the object up in the object store; a delete does not.

use std::time::{Duration, Instant};

use braid_client::{Client, Link, ResetScope};
use braid_types::{BranchName, ObjectPath, RepositoryName};

use super::fleet::Fleet;
use super::pool::Pool;
use super::{Floors, OBJECTS};
use crate::figures::Figures;
use crate::timing::{ROUNDS, middle};

/// Calls of the client that is alone.
const ALONE: usize = 300;

/// What a call that links or deletes is made with.
type Call<T> = (RepositoryName, BranchName, T);

/// Leaves every object staged.
pub(super) async fn measure(
    figures: &mut Figures,
    fleet: &Fleet,
    pool: &Pool,
    floors: &Floors,
) -> anyhow::Result<()> {
    let (mut puts, mut deletes) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        reset(fleet, pool).await?;
        puts.push(link_each(fleet, pool).await?);
        deletes.push(delete_each(fleet, pool).await?);
    }
    let puts = figures.rate("staged_puts_per_s_64_clients", OBJECTS, middle(puts), "calls/s")?;
    figures.ratio("staged_puts_of_echo", puts, floors.echo)?;
    figures.ratio("staged_puts_of_fdatasync", puts, floors.syncs)?;
    let deletes = figures.rate("staged_deletes_per_s_64_clients", OBJECTS, middle(deletes), "calls/s")?;
    figures.ratio("staged_deletes_of_echo", deletes, floors.echo)?;

    reset(fleet, pool).await?;
    let alone = link_alone(fleet, pool).await?;
    figures.time("staged_put_ms_1_client", alone)?;
    figures.ratio("staged_put_1_client_in_fdatasyncs", alone.as_secs_f64(), 1.0 / floors.syncs)?;
    link_each(fleet, pool).await.map(drop)
}

async fn reset(fleet: &Fleet, pool: &Pool) -> anyhow::Result<()> {
    fleet.first().reset_branch(&pool.repository, &pool.branch, ResetScope::All).await?;
    Ok(())
}

/// How long it takes to link every object.
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
        Ok(client.delete_object(&repository, &branch, &path).await?)
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
