//! Finding single entries, decoded, on one core.

use std::sync::Arc;
use std::time::{Duration, Instant};

use braid_cache::CacheOptions;
use braid_objects::Counts;
use braid_tree::{EntryView, RangeStore, TreeId, lookup, open_tree};

use super::lake::Lake;
use super::room::{Cores, Room};
use super::settings::Settings;
use crate::data;
use crate::figures::Figures;
use crate::timing::middle;

/// Paths that are looked up from memory, spread over the whole lake, and how often each.
const WARM_PATHS: usize = 4000;
const WARM_ROUNDS: usize = 10;

/// Lookups with empty caches.
const COLD_PATHS: usize = 100;

/// What a kind of cold lookups came to.
struct Cold {
    /// Of each lookup.
    times: Vec<Duration>,
    /// The most of any lookup.
    most: Counts,
}

pub(super) fn measure(settings: &Settings, figures: &mut Figures) -> anyhow::Result<()> {
    let lake = Lake::open(settings)?;
    let room = Room::over(&lake, settings, Cores::One)?;
    let paths = |seed, count| data::spread(seed, count, lake.entries).map(data::path).collect::<Vec<_>>();
    let warm = warm(&room, lake.tree, &paths(1, WARM_PATHS))?;
    figures.short_time("lookup_warm_us", warm)?;

    let resident = cold(&room, lake.tree, &paths(2, COLD_PATHS), true)?;
    resident.print(figures, "lookup_cold")?;
    let nothing = cold(&room, lake.tree, &paths(3, COLD_PATHS), false)?;
    nothing.print(figures, "lookup_nothing_resident")
}

/// The median time of a lookup of what was looked up before.
fn warm(room: &Room, tree: TreeId, paths: &[String]) -> anyhow::Result<Duration> {
    let store = room.store(CacheOptions::default());
    room.runtime.block_on(async {
        let mut times = Vec::with_capacity(WARM_ROUNDS * paths.len());
        for round in 0..=WARM_ROUNDS {
            // A step that has no divisor in common with their number goes through all, each far from the one before.
            for number in 0..paths.len() {
                let path = &paths[number * 1237 % paths.len()];
                let time = find(&store, tree, path).await?;
                if round > 0 {
                    times.push(time);
                }
            }
        }
        Ok(middle(times))
    })
}

/// Looks each path up with empty caches, or with nothing in them but the metarange.
fn cold(room: &Room, tree: TreeId, paths: &[String], has_metarange: bool) -> anyhow::Result<Cold> {
    let mut cold = Cold { times: Vec::new(), most: Counts::default() };
    for path in paths {
        let (store, counters) = room.far_store();
        room.runtime.block_on(async {
            if has_metarange {
                open_tree(&*store, tree).await?;
            }
            let before = counters.counts();
            cold.times.push(find(&store, tree, path).await?);
            let counts = counters.counts().since(&before);
            cold.most.gets = cold.most.gets.max(counts.requests());
            cold.most.read = cold.most.read.max(counts.read);
            anyhow::Ok(())
        })?;
    }
    Ok(cold)
}

/// How long it takes to find the entry of a path and decode it.
async fn find(store: &Arc<dyn RangeStore>, tree: TreeId, path: &str) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let found = lookup(&**store, tree, path.as_bytes()).await?;
    let Some(record) = found else { anyhow::bail!("'{path}' was not found") };
    std::hint::black_box(EntryView::parse(record.value.data())?);
    Ok(started.elapsed())
}

impl Cold {
    fn print(self, figures: &mut Figures, name: &str) -> anyhow::Result<()> {
        figures.time(&format!("{name}_ms"), middle(self.times))?;
        figures.count(&format!("{name}_gets"), self.most.gets, "requests")?;
        figures.kib(&format!("{name}_kib"), self.most.read as f64)
    }
}
