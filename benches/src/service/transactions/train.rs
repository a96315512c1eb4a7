//! A train of merges: many branches with a commit of one new object each, merged into one branch by many clients.

use braid_client::{Diff, DiffMode};
use braid_types::RefExpression;
use futures::TryStreamExt;

use super::super::backend::Backend;
use super::super::fleet::Fleet;
use super::super::merging::{Side, first_parents, make, merge_all, sides};
use super::super::pool::Pool;
use super::super::{CLIENTS, commit};
use super::lake::{Lake, prefix};
use crate::figures::Figures;

/// Entries of the small branch.
const ENTRIES: usize = 1000;
/// Branches that are merged into the small one, and into the lake.
const SMALL: usize = 4000;
const LARGE: usize = 400;

/// Into a branch of a thousand entries.
pub(super) async fn measure_small(
    figures: &mut Figures,
    backend: &Backend,
    fleet: &Fleet,
) -> anyhow::Result<()> {
    let pool = Pool::upload_into(fleet, "train", ENTRIES).await?;
    fleet.first().link_uploads(&pool.repository, &pool.branch, pool.links.clone()).await?;
    commit(fleet, &pool).await?;
    measure(figures, &backend.name("merge_train_per_s"), fleet, &pool, sides(ENTRIES, SMALL)?).await
}

/// Into the lake.
pub(super) async fn measure_large(
    figures: &mut Figures,
    backend: &Backend,
    fleet: &Fleet,
    lake: &Lake,
) -> anyhow::Result<()> {
    let pool = Pool::upload_to(fleet, &lake.repository, &lake.branch, &[]).await?;
    let name = backend.name("merge_train_1m_per_s");
    measure(figures, &name, fleet, &pool, sides(lake.entries, LARGE)?).await
}

async fn measure(
    figures: &mut Figures,
    name: &str,
    fleet: &Fleet,
    pool: &Pool,
    sides: Vec<Side>,
) -> anyhow::Result<()> {
    let count = sides.len();
    make(fleet, pool, &sides).await?;
    let time = merge_all(&fleet.some(CLIENTS), pool, sides).await?;
    figures.rate(name, count, time, "merges/s")?;
    check(fleet, pool, count).await
}

/// That each of the last `count` commits differs from its first parent by one new object.
async fn check(fleet: &Fleet, pool: &Pool, count: usize) -> anyhow::Result<()> {
    let commits: Vec<_> = fleet.first().log(first_parents(pool)).try_collect().await?;
    let merges = commits.iter().take_while(|commit| commit.commit.parents.len() == 2).count();
    anyhow::ensure!(merges == count, "{merges} merges are in the history, not {count}");
    let repository = pool.repository.clone();
    let pairs = commits.windows(2).take(count).map(|pair| (pair[1].id, pair[0].id)).collect();
    let differ = move |client: braid_client::Client, (parent, merge): (braid_types::CommitId, _)| {
        let repository = repository.clone();
        async move {
            let diff = Diff {
                repository,
                left: RefExpression::parse(&parent.to_hex())?,
                right: RefExpression::parse(&braid_types::CommitId::to_hex(&merge))?,
                mode: DiffMode::TwoDot,
                prefix: prefix("")?,
                delimiter: None,
                after: None,
            };
            let changed: Vec<_> = client.diff(diff).try_collect().await?;
            anyhow::ensure!(changed.len() == 1, "merge '{merge}' changed {} paths", changed.len());
            Ok(())
        }
    };
    fleet.each(pairs, differ).await.map(drop)
}
