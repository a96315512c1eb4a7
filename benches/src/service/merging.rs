//! Merging into one branch: many branches with a commit of one new object each, merged by one client, by 8 and by 64.
//!
//! One client's merges come one after the other, and each is published alone; those of many line up, and what waits is
//! published together. Every merge is a durable commit of its own when it is answered.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use braid_client::{Body, Client, CommitBranch, CreateBranch, Log, Merge, MergeStrategy, UploadOptions};
use braid_types::{BranchName, ObjectPath, RefExpression};
use futures::TryStreamExt;

use super::commit;
use super::fleet::Fleet;
use super::floor::{SYNCS, sync};
use super::pool::Pool;
use crate::data;
use crate::figures::Figures;

/// Entries of the branch that is merged into.
const ENTRIES: usize = 1000;
/// How many clients merge how many branches.
const TRAINS: [(usize, usize); 3] = [(1, 200), (8, 800), (64, 4000)];

/// A branch to be merged.
#[derive(Clone)]
pub(super) struct Side {
    name: BranchName,
    path: ObjectPath,
}

pub(super) async fn measure(
    figures: &mut Figures,
    fleet: &Fleet,
    folder: &std::path::Path,
) -> anyhow::Result<()> {
    let pool = Pool::upload(fleet, ENTRIES).await?;
    fleet.first().link_uploads(&pool.repository, &pool.branch, pool.links.clone()).await?;
    commit(fleet, &pool).await?;
    let mut made = 0;
    for (clients, count) in TRAINS {
        let sides = sides(ENTRIES + made, count)?;
        made += count;
        make(fleet, &pool, &sides).await?;
        let before = commits(fleet.first(), &pool).await?;
        let synced = sync(folder)?;
        let time = merge_all(&fleet.some(clients), &pool, sides).await?;
        anyhow::ensure!(commits(fleet.first(), &pool).await? == before + count, "a merge is missing");
        let merges = figures.rate(&format!("merges_per_s_{clients}_clients"), count, time, "merges/s")?;
        let syncs_per_s = SYNCS as f64 / synced.as_secs_f64();
        figures.ratio(&format!("merges_{clients}_clients_of_fdatasync"), merges, syncs_per_s)?;
    }
    Ok(())
}

/// `count` branches, of objects behind the first `entries`.
pub(super) fn sides(entries: usize, count: usize) -> anyhow::Result<Vec<Side>> {
    let side = |number: usize| -> anyhow::Result<Side> {
        let path = data::path(number);
        Ok(Side { name: BranchName::new(format!("side-{number}"))?, path: ObjectPath::new(path)? })
    };
    (entries..entries + count).map(side).collect()
}

/// Makes the branches, each with a commit that adds an object.
pub(super) async fn make(fleet: &Fleet, pool: &Pool, sides: &[Side]) -> anyhow::Result<()> {
    let (repository, source) = (pool.repository.clone(), pool.reference.clone());
    let make = move |client: Client, side: Side| {
        let (repository, source) = (repository.clone(), source.clone());
        async move {
            let Side { name, path } = side;
            let create =
                CreateBranch { repository: repository.clone(), name: name.clone(), source, hidden: false };
            client.create_branch(create).await?;
            let body = Body::Bytes(path.as_str().to_owned().into());
            let options = UploadOptions::default();
            let upload = client.upload(&repository, &name, &path, &body, &options);
            Box::pin(upload).await?;
            let request = CommitBranch {
                repository,
                branch: name,
                message: "one object".to_owned(),
                metadata: BTreeMap::new(),
                allow_empty: false,
                date: None,
            };
            Ok(client.commit(request).await.map(drop)?)
        }
    };
    fleet.each(sides.to_vec(), make).await.map(drop)
}

pub(super) async fn merge_all(fleet: &Fleet, pool: &Pool, sides: Vec<Side>) -> anyhow::Result<Duration> {
    let (repository, destination) = (pool.repository.clone(), pool.branch.clone());
    let merge = move |client: Client, side: Side| {
        let (repository, destination) = (repository.clone(), destination.clone());
        async move {
            let merge = Merge {
                repository,
                source: RefExpression::parse(side.name.as_str())?,
                destination,
                strategy: MergeStrategy::Refuse,
                message: None,
                metadata: BTreeMap::new(),
                squash: false,
                allow_empty: false,
            };
            let merged = client.merge(merge).await.with_context(|| format!("merging '{}'", side.name))?;
            anyhow::ensure!(merged.commit.parents.len() == 2, "a merge has two parents");
            Ok(())
        }
    };
    fleet.each(sides, merge).await
}

/// How many commits the branch has, by first parents.
async fn commits(client: &Client, pool: &Pool) -> anyhow::Result<usize> {
    Ok(client.log(first_parents(pool)).try_fold(0, |count, _| async move { Ok(count + 1) }).await?)
}

/// Asks for the branch's commits, by first parents.
pub(super) fn first_parents(pool: &Pool) -> Log {
    Log {
        repository: pool.repository.clone(),
        reference: pool.reference.clone(),
        limit: None,
        first_parent: true,
        since: None,
        stop_at: None,
        after: None,
        paths: Vec::new(),
        prefixes: Vec::new(),
    }
}
