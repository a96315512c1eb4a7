//! Trees of a million entries over a store in memory: build, fold, diff.
//!
//! A build has the writing of its ranges as its floor, a fold that touches every range has the build, and a diff of the
//! fold's two trees the scan of both.

use std::sync::Arc;

use braid_sstable::Table;
use braid_tree::testing::MemoryRangeStore;
use braid_tree::{Change, Diff, Folded, RangeStore, Record, TreeFormat, TreeId, build, fold, open_tree};
use futures::executor::block_on;
use futures::stream;

use crate::data;
use crate::figures::Figures;
use crate::range;
use crate::timing::median;

const ENTRIES: usize = 1_000_000;
const CHANGES: usize = 10_000;

struct Bench {
    store: Arc<dyn RangeStore>,
    format: TreeFormat,
}

pub(crate) fn measure(figures: &mut Figures) -> anyhow::Result<()> {
    let format = TreeFormat::version(1).expect("version 1 stays readable");
    let bench = Bench { store: Arc::new(MemoryRangeStore::new()), format };
    let records = data::records(2, ENTRIES);
    let (built, base) = median(|| bench.build(&records))?;
    let base = base.tree;
    let build = figures.rate("build_1m_entries_per_s", ENTRIES, built, "entries/s")?;
    let (written, _) = median(|| range::write(&records))?;
    drop(records);
    let floor = figures.rate("build_floor_range_writing_per_s", ENTRIES, written, "entries/s")?;
    figures.ratio("build_of_range_writing", build, floor)?;

    let changes = data::scattered(3, CHANGES, ENTRIES);
    let (folded, scattered) = median(|| bench.fold(base, &changes))?;
    figures.time("fold_scattered_10k_into_1m_ms", folded)?;
    figures.count("fold_scattered_10k_ranges_read", scattered.summary.ranges_read, "ranges")?;
    figures.count("fold_scattered_10k_ranges_written", scattered.summary.ranges_written, "ranges")?;
    figures.ratio("fold_scattered_of_build", folded.as_secs_f64(), built.as_secs_f64())?;

    let (diffed, found) = median(|| bench.diff(base, scattered.tree))?;
    anyhow::ensure!(found == CHANGES, "{found} paths differ");
    let (both, _) = median(|| bench.scan(&[base, scattered.tree]))?;
    figures.time("diff_of_that_ms", diffed)?;
    figures.time("diff_floor_scan_of_both_ms", both)?;
    figures.ratio("diff_of_scan_of_both", diffed.as_secs_f64(), both.as_secs_f64())?;

    let changes = data::clustered(4, CHANGES, ENTRIES / 2);
    let (folded, clustered) = median(|| bench.fold(base, &changes))?;
    figures.time("fold_clustered_10k_into_1m_ms", folded)?;
    figures.count("fold_clustered_10k_ranges_read", clustered.summary.ranges_read, "ranges")?;
    figures.count("fold_clustered_10k_ranges_written", clustered.summary.ranges_written, "ranges")?;
    figures.count("fold_clustered_10k_ranges_reused", clustered.summary.ranges_reused, "ranges")?;
    let (diffed, found) = median(|| bench.diff(base, clustered.tree))?;
    anyhow::ensure!(found == CHANGES, "{found} paths differ");
    figures.time("diff_clustered_10k_in_1m_ms", diffed)
}

impl Bench {
    fn build(&self, records: &[Record]) -> anyhow::Result<Folded> {
        Ok(block_on(build(&*self.store, &self.format, stream::iter(records.iter().cloned().map(Ok))))?)
    }

    fn fold(&self, base: TreeId, changes: &[Change]) -> anyhow::Result<Folded> {
        Ok(block_on(fold(&*self.store, &self.format, base, stream::iter(changes.iter().cloned().map(Ok))))?)
    }

    /// How many paths differ.
    fn diff(&self, left: TreeId, right: TreeId) -> anyhow::Result<usize> {
        let mut diff = Diff::new(Arc::clone(&self.store), left, right);
        let mut count = 0;
        while let Some(difference) = block_on(diff.next())? {
            std::hint::black_box(difference);
            count += 1;
        }
        Ok(count)
    }

    /// Reads every record of the trees where it stands.
    fn scan(&self, trees: &[TreeId]) -> anyhow::Result<()> {
        for &tree in trees {
            let metarange = block_on(open_tree(&*self.store, tree))?;
            for range in metarange.ranges() {
                scan_range(&block_on(self.store.range(&range.id))?)?;
            }
        }
        Ok(())
    }
}

fn scan_range(table: &Table) -> anyhow::Result<()> {
    let mut cursor = table.cursor();
    while let Some(record) = cursor.next()? {
        std::hint::black_box(record);
    }
    Ok(())
}
