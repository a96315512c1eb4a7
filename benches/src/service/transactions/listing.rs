//! Listings across what was deleted: a page that begins before a deleted directory and ends after it, and the names in its parent.
//! The floor is the same of a branch on which it never was.

use std::time::{Duration, Instant};

use braid_client::{DeletePrefix, ListObjects, ResetScope};
use braid_types::{BranchName, ObjectPath, RefExpression, RepositoryName};

use super::super::backend::Backend;
use super::super::fleet::Fleet;
use super::super::pool::Pool;
use super::lake::{Lake, prefix};
use crate::data;
use crate::figures::Figures;
use crate::timing::middle;

/// Objects on each side of the lake: together a page.
const BESIDE: usize = 500;
const ROUNDS: usize = 21;
/// Objects that are deleted in one call.
const BATCH: usize = 1000;
/// How long the background fold may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// Listings of one branch.
struct Listings<'a> {
    fleet: &'a Fleet,
    repository: RepositoryName,
    reference: RefExpression,
}

pub(super) async fn measure(
    figures: &mut Figures,
    backend: &Backend,
    fleet: &Fleet,
    lake: &Lake,
) -> anyhow::Result<()> {
    let paths = ["a", "z"]
        .into_iter()
        .flat_map(|side| (0..BESIDE).map(move |index| ObjectPath::new(format!("{side}/object-{index:05}"))));
    let paths: Vec<ObjectPath> = paths.collect::<Result<_, _>>()?;
    let plain = Pool::upload_into(fleet, "plain", 0).await?;
    let plain = Listings { fleet, repository: plain.repository, reference: plain.reference };
    stage(fleet, &plain.repository, &lake.branch, &paths).await?;
    stage(fleet, &lake.repository, &lake.branch, &paths).await?;
    let listings = Listings { fleet, repository: lake.repository.clone(), reference: lake.reference.clone() };

    let (repository, branch) = (lake.repository.clone(), lake.branch.clone());
    let erase = DeletePrefix { repository, branch, prefix: prefix("lake/")? };
    fleet.first().delete_prefix(erase).await?;
    compare(figures, &backend.name("listing_across_rm_r"), &plain, &listings).await?;

    fleet.first().reset_branch(&lake.repository, &lake.branch, ResetScope::All).await?;
    stage(fleet, &lake.repository, &lake.branch, &paths).await?;
    let started = Instant::now();
    delete_each(fleet, lake).await?;
    figures.rate(&backend.name("delete_1024_per_s"), lake.entries, started.elapsed(), "deletes/s")?;
    let folded = listings.wait_until_folded(&plain).await?;
    figures.time(&backend.name("deletes_folded_after_ms"), folded)?;
    compare(figures, &backend.name("listing_across_deletes"), &plain, &listings).await
}

/// Stages an object at each path.
async fn stage(
    fleet: &Fleet,
    repository: &RepositoryName,
    branch: &BranchName,
    paths: &[ObjectPath],
) -> anyhow::Result<()> {
    let pool = Pool::upload_to(fleet, repository, branch, paths).await?;
    Ok(fleet.first().link_uploads(repository, branch, pool.links).await.map(drop)?)
}

/// Deletes every object of the lake on its own, many in a call.
async fn delete_each(fleet: &Fleet, lake: &Lake) -> anyhow::Result<()> {
    let paths: Vec<ObjectPath> =
        (0..lake.entries).map(|index| ObjectPath::new(data::path(index))).collect::<Result<_, _>>()?;
    let calls =
        paths.chunks(BATCH).map(|paths| (lake.repository.clone(), lake.branch.clone(), paths.to_vec()));
    let delete = |client: braid_client::Client, (repository, branch, paths): (_, _, _)| async move {
        Ok(client.delete_objects(&repository, &branch, paths).await.map(drop)?)
    };
    fleet.each(calls.collect(), delete).await.map(drop)
}

/// Pages and names of both branches in turn; how much longer the one's take than the other's.
async fn compare(
    figures: &mut Figures,
    name: &str,
    plain: &Listings<'_>,
    listings: &Listings<'_>,
) -> anyhow::Result<()> {
    for (what, delimiter) in [("page", None), ("names", Some("/"))] {
        let (mut floor, mut times) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            floor.push(plain.list(delimiter).await?);
            times.push(listings.list(delimiter).await?);
        }
        let ratio = middle(times).as_secs_f64() / middle(floor).as_secs_f64();
        figures.ratio(&format!("{name}_{what}_of_without"), ratio, 1.0)?;
    }
    Ok(())
}

impl Listings<'_> {
    /// How long a page takes that has all that is there.
    async fn list(&self, delimiter: Option<&str>) -> anyhow::Result<Duration> {
        let list = ListObjects {
            repository: self.repository.clone(),
            reference: self.reference.clone(),
            prefix: prefix("")?,
            delimiter: delimiter.map(str::to_owned),
            after: None,
            page_size: Some(u32::try_from(2 * BESIDE)?),
            page_token: None,
        };
        let started = Instant::now();
        let page = self.fleet.first().list_objects(list).await?;
        let took = started.elapsed();
        let wanted = if delimiter.is_some() { 2 } else { 2 * BESIDE };
        anyhow::ensure!(page.items.len() >= wanted, "{} items are listed, not {wanted}", page.items.len());
        Ok(took)
    }

    /// Waits until a page takes no more than twice as long as one of `plain`, for as long as the fold may take.
    async fn wait_until_folded(&self, plain: &Listings<'_>) -> anyhow::Result<Duration> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE && self.list(None).await? > 2 * plain.list(None).await? {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(started.elapsed())
    }
}
