//! Changing every path of one directory, on both cores.

use std::sync::Arc;
use std::time::Duration;

use braid_cache::CacheOptions;
use braid_tree::{Folded, RangeStore, TreeId};

use super::lake::Lake;
use super::room::{Cores, Room};
use super::settings::Settings;
use crate::data::{self, PARTS_A_DAY};
use crate::figures::Figures;
use crate::machine;
use crate::timing::{ROUNDS, median_of, timed};

pub(super) fn measure(settings: &Settings, figures: &mut Figures) -> anyhow::Result<()> {
    let lake = Lake::open(settings)?;
    let room = Room::over(&lake, settings, Cores::Both)?;
    let store = room.store(CacheOptions::default());
    // Brings the metarange and the directory's ranges into memory.
    fold(&room, &store, &lake, 0)?;
    machine::forget_peak()?;
    let mut last = None;
    let large = median_of(ROUNDS, |round| {
        let (took, folded) = fold(&room, &store, &lake, 1 + round)?;
        last = Some(folded);
        Ok(took)
    })?;
    let peak = machine::peak_bytes()?;
    figures.time("fold_clustered_ms", large)?;
    let folded = last.expect("there are rounds");
    let storing = median_of(ROUNDS, |_| room.storing(lake.tree, folded.tree))?;
    figures.time("fold_clustered_floor_storing_ms", storing)?;
    let far = median_of(ROUNDS, |round| Ok(fold(&room, &room.far_store().0, &lake, 10 + round)?.0))?;
    figures.time("fold_clustered_5ms_store_ms", far)?;
    let small = small(settings)?;
    figures.time("fold_clustered_small_ms", small)?;
    figures.time("fold_clustered_above_small_ms", large.saturating_sub(small))?;
    figures.mib("fold_clustered_peak_mib", peak)?;

    let summary = folded.summary;
    figures.count("fold_clustered_ranges_read", summary.ranges_read, "ranges")?;
    figures.count("fold_clustered_ranges_written", summary.ranges_written, "ranges")?;
    figures.mib("fold_clustered_written_mib", summary.bytes_written)
}

/// The same into the small lake.
fn small(settings: &Settings) -> anyhow::Result<Duration> {
    let lake = Lake::open_small(settings)?;
    let room = Room::over(&lake, settings, Cores::Both)?;
    let store = room.store(CacheOptions::default());
    fold(&room, &store, &lake, 0)?;
    median_of(ROUNDS, |round| Ok(fold(&room, &store, &lake, 1 + round)?.0))
}

/// Changes the directory in the lake's middle. Each seed makes another tree, so that nothing is there that is written.
fn fold(
    room: &Room,
    store: &Arc<dyn RangeStore>,
    lake: &Lake,
    seed: usize,
) -> anyhow::Result<(Duration, Folded)> {
    let indexes = data::in_directories(1, lake.entries, 0..PARTS_A_DAY);
    let changes = data::mixed(1000 + seed as u64, indexes);
    let base: TreeId = lake.tree;
    timed(|| room.fold(store, base, changes))
}
