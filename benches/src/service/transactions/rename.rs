//! Renames of directories, there and back, and what reads and listings take right after.

use std::time::{Duration, Instant};

use anyhow::Context;
use braid_client::{ListObjects, MoveDirectory};
use braid_types::ObjectPath;

use super::super::backend::Backend;
use super::super::fleet::Fleet;
use super::super::mutations::Mutations;
use super::lake::{Lake, prefix};
use crate::data;
use crate::figures::Figures;
use crate::timing::{ROUNDS, middle};

/// Items of the page that is listed after a rename.
const PAGE: u32 = 1000;
/// Objects of the smaller directories. Those with fewer than the last are rewritten object by object.
const SMALLER: [usize; 2] = [1000, 33];

/// What a directory's renames took.
struct Renames {
    time: Duration,
    after: Duration,
    mutations: u64,
}

pub(super) async fn measure(
    figures: &mut Figures,
    backend: &Backend,
    fleet: &Fleet,
    lake: &Lake,
    mutations: &Mutations,
) -> anyhow::Result<()> {
    let first = data::path(0);
    let below = |name: &str| name.strip_prefix("lake/").map(str::to_owned).context("all is in one directory");
    let all = rename(fleet, lake, mutations, ("lake/", "moved/"), &below(&first)?).await?;
    figures.time(&backend.name("rename_1m_ms"), all.time)?;
    figures.count(&backend.name("rename_kv_mutations"), all.mutations, "keys")?;
    figures.time(&backend.name("after_rename_ms"), all.after)?;
    for count in SMALLER {
        let from = format!("small-{count}/");
        let made = lake.make_directory(fleet, &from, count).await?;
        let to = format!("moved-{count}/");
        let renames = rename(fleet, lake, mutations, (&from, &to), &made).await?;
        let name = if count == 1000 { "rename_1k_ms".to_owned() } else { format!("rename_{count}_ms") };
        figures.time(&backend.name(&name), renames.time)?;
        anyhow::ensure!(
            renames.mutations == all.mutations,
            "{} keys for {count} objects, and {} for all",
            renames.mutations,
            all.mutations
        );
    }
    Ok(())
}

/// Renames a directory there and back, [`ROUNDS`] times. `inside` is an object in it.
async fn rename(
    fleet: &Fleet,
    lake: &Lake,
    mutations: &Mutations,
    (from, to): (&str, &str),
    inside: &str,
) -> anyhow::Result<Renames> {
    let (mut times, mut after, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (from, to) in [(from, to), (to, from)] {
            let before = mutations.so_far();
            let started = Instant::now();
            let request = MoveDirectory {
                repository: lake.repository.clone(),
                branch: lake.branch.clone(),
                source: prefix(from)?,
                destination: prefix(to)?,
                overwrite: false,
            };
            fleet.first().move_directory(request).await?;
            times.push(started.elapsed());
            // What runs in the background may have written as well: the least is the rename's own.
            counts.push(mutations.so_far() - before);
            after.push(read_and_list(fleet, lake, to, inside).await?);
        }
    }
    let mutations = counts.into_iter().min().context("there are rounds")?;
    Ok(Renames { time: middle(times), after: middle(after), mutations })
}

/// How long the first read and the first page under a directory take.
async fn read_and_list(
    fleet: &Fleet,
    lake: &Lake,
    directory: &str,
    inside: &str,
) -> anyhow::Result<Duration> {
    let path = ObjectPath::new(format!("{directory}{inside}"))?;
    let list = ListObjects {
        repository: lake.repository.clone(),
        reference: lake.reference.clone(),
        prefix: prefix(directory)?,
        delimiter: None,
        after: None,
        page_size: Some(PAGE),
        page_token: None,
    };
    let started = Instant::now();
    fleet.first().stat_object(&lake.repository, &lake.reference, &path).await?;
    let page = fleet.first().list_objects(list).await?;
    let took = started.elapsed();
    anyhow::ensure!(!page.items.is_empty(), "nothing is listed under '{directory}'");
    Ok(took)
}
