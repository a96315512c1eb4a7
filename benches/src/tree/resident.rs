//! The memory that a tree takes while lookups are served from it: its metarange, and what finds the blocks of its ranges.
//!
//! Measured as the difference of the process' resident memory before and after every range was found, with no room for blocks
//! and files; and as the caches count it.

use std::sync::Arc;
use std::time::Duration;

use braid_cache::{CacheOptions, RangeMemory};
use braid_tree::{RangeStore, TreeId, lookup, open_tree};

use super::lake::Lake;
use super::room::{Cores, Room};
use super::settings::Settings;
use crate::figures::Figures;
use crate::machine;

/// The caches count what they hold a little later, when they are asked again.
const COUNTED_AFTER: Duration = Duration::from_millis(500);

pub(super) fn measure(settings: &Settings, figures: &mut Figures) -> anyhow::Result<()> {
    let (lake, small) = (Lake::open(settings)?, Lake::open_small(settings)?);
    // What the process itself takes to look anything up is no part of it.
    let warm = Room::over(&small, settings, Cores::One)?;
    find_in_each_range(&warm, &warm.store(CacheOptions::default()), small.tree)?;
    drop(warm);
    let room = Room::over(&lake, settings, Cores::One)?;
    let memory =
        Arc::new(RangeMemory::new(CacheOptions { block_bytes: 0, file_bytes: 0, ..CacheOptions::default() }));
    let store = room.store_in(Arc::clone(&memory));
    let before = machine::resident_bytes()?;
    find_in_each_range(&room, &store, lake.tree)?;
    let resident = machine::resident_bytes()?.saturating_sub(before);
    let millions = lake.entries as f64 / 1e6;
    figures.kib("resident_kib_per_million", resident as f64 / millions)?;
    std::thread::sleep(COUNTED_AFTER);
    find_in_each_range(&room, &store, lake.tree)?;
    let counts = memory.counts();
    let counted = counts.metaranges.bytes_held + counts.indexes.bytes_held;
    figures.kib("resident_counted_kib_per_million", counted as f64 / millions)
}

fn find_in_each_range(room: &Room, store: &Arc<dyn RangeStore>, tree: TreeId) -> anyhow::Result<()> {
    room.runtime.block_on(async {
        for range in open_tree(&**store, tree).await?.ranges() {
            let found = lookup(&**store, tree, &range.min_key).await?;
            anyhow::ensure!(found.is_some(), "a range has its first key");
        }
        Ok(())
    })
}
