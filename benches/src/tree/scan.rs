//! Reading every entry in order, decoded, on one core.

use std::sync::Arc;
use std::time::Duration;

use braid_cache::CacheOptions;
use braid_tree::{Cursor, EntryView, FileId, RangeStore, TreeCursor, TreeId, open_tree};

use super::lake::Lake;
use super::room::{Cores, Room, small_cache};
use super::settings::Settings;
use crate::figures::Figures;
use crate::timing::{median, median_of, timed};

/// Rounds that each take seconds.
const ROUNDS: usize = 3;

/// Entries that are scanned from the caches; they hold as many.
const IN_MEMORY: usize = 1_000_000;

pub(super) fn measure(settings: &Settings, figures: &mut Figures) -> anyhow::Result<()> {
    let lake = Lake::open(settings)?;
    let room = Room::over(&lake, settings, Cores::One)?;
    let scan = |store: &Arc<dyn RangeStore>, most: usize| {
        timed(|| room.runtime.block_on(scan(store, lake.tree, most)))
    };

    let store = room.store(small_cache());
    let mut reads = Vec::new();
    let scanned = median_of(ROUNDS, |_| {
        let (took, found) = scan(&store, usize::MAX)?;
        anyhow::ensure!(found == lake.entries, "{found} entries were scanned");
        reads.push(timed(|| room.runtime.block_on(read(&store, lake.tree)))?.0);
        Ok(took)
    })?;
    let rate = figures.rate("scan_entries_per_s", lake.entries, scanned, "entries/s")?;
    let read = crate::timing::middle(reads);
    let floor = figures.rate("scan_floor_read_entries_per_s", lake.entries, read, "entries/s")?;
    figures.ratio("scan_of_read", rate, floor)?;

    let store = room.store(CacheOptions::default());
    let most = IN_MEMORY.min(lake.entries);
    scan(&store, most)?;
    let (scanned, _): (Duration, _) = median(|| scan(&store, most))?;
    figures.rate("scan_in_memory_entries_per_s", most, scanned, "entries/s").map(drop)
}

/// Decodes entries from the first on, `most` at most, and says how many.
pub(super) async fn scan(store: &Arc<dyn RangeStore>, tree: TreeId, most: usize) -> anyhow::Result<usize> {
    let mut cursor = TreeCursor::new(Arc::clone(store), tree);
    let mut count = 0;
    while count < most
        && let Some(record) = cursor.next().await?
    {
        std::hint::black_box(EntryView::parse(record.value.data())?);
        count += 1;
    }
    Ok(count)
}

/// Reads the bytes of every range, and does nothing with them.
async fn read(store: &Arc<dyn RangeStore>, tree: TreeId) -> anyhow::Result<()> {
    for range in open_tree(&**store, tree).await?.ranges() {
        std::hint::black_box(store.file(FileId::from(range.id)).await?);
    }
    Ok(())
}
