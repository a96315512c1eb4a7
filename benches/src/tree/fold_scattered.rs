//! Changing one path of each hundred, everywhere, on both cores: every range is rewritten.

use std::sync::Arc;

use braid_tree::{RangeStore, TreeId};

use super::lake::Lake;
use super::room::{Cores, Room, new_ranges, small_cache};
use super::settings::Settings;
use crate::data;
use crate::figures::Figures;
use crate::machine;
use crate::timing::{median_of, timed};

/// Rounds that each take many seconds.
const ROUNDS: usize = 3;

/// Of so many paths, one is changed.
const ONE_IN: usize = 100;

pub(super) fn measure(settings: &Settings, figures: &mut Figures) -> anyhow::Result<()> {
    let lake = Lake::open(settings)?;
    let room = Room::over(&lake, settings, Cores::Both)?;
    let store = room.store(small_cache());
    let (mut rewritten, mut bytes) = (0, 0);
    machine::forget_peak()?;
    let took = median_of(ROUNDS, |round| {
        let seed = 2000 + round as u64;
        let changes = data::mixed(seed, data::spread(seed, lake.entries / ONE_IN, lake.entries));
        let (took, folded) = timed(|| room.fold(&store, lake.tree, changes))?;
        rewritten = rewritten_entries(&room, &store, lake.tree, folded.tree)?;
        bytes = folded.summary.bytes_written;
        Ok(took)
    })?;
    let peak = machine::peak_bytes()?;
    figures.time("fold_scattered_ms", took)?;
    figures.rate("fold_scattered_entries_per_s", rewritten, took, "entries/s")?;
    figures.rate("fold_scattered_entries_per_s_per_core", rewritten, 2 * took, "entries/s")?;
    figures.count("fold_scattered_entries_rewritten", rewritten as u64, "entries")?;
    figures.mib("fold_scattered_written_mib", bytes)?;
    figures.mib("fold_scattered_peak_mib", peak)
}

/// Entries in ranges of `new` that `base` does not have.
fn rewritten_entries(
    room: &Room,
    store: &Arc<dyn RangeStore>,
    base: TreeId,
    new: TreeId,
) -> anyhow::Result<usize> {
    let written = room.runtime.block_on(new_ranges(&**store, base, new))?;
    Ok(usize::try_from(written.iter().map(|range| range.count).sum::<u64>())?)
}
