//! Merging two sides that each changed a hundred thousand paths, and one path of each hundred both, on both cores.

use std::sync::Arc;
use std::time::Duration;

use braid_cache::CacheOptions;
use braid_tree::{Conflicts, Merge, MergeResult, RangeStore, Strategy, merge};

use super::lake::Lake;
use super::room::{Cores, Room, small_cache};
use super::settings::Settings;
use crate::data::{self, PARTS_A_DAY};
use crate::figures::Figures;
use crate::machine;
use crate::timing::{ROUNDS, median_of, timed};

/// Directories that both sides change.
const DIRECTORIES: usize = 20;
/// Paths that a side changes in each of them.
const CHANGES: usize = PARTS_A_DAY / 2;
/// Paths of those that both change.
const CONFLICTS: usize = CHANGES / 100;

/// Rounds that each take many seconds.
const LONG_ROUNDS: usize = 3;

/// A merge, and where it is made.
struct Bench {
    room: Room,
    store: Arc<dyn RangeStore>,
    merge: Merge,
    /// How many conflicts it has.
    conflicts: usize,
}

pub(super) fn measure(settings: &Settings, figures: &mut Figures) -> anyhow::Result<()> {
    let lake = Lake::open(settings)?;
    let directories = DIRECTORIES.min(lake.entries / PARTS_A_DAY);
    let side = |first: usize| data::in_directories(directories, lake.entries, first..first + CHANGES);
    let sides = (side(0), side(CHANGES - CONFLICTS));
    let cache = CacheOptions::default();
    let bench = Bench::new(settings, &lake, cache, sides, directories * CONFLICTS)?;
    figures.count("merge_conflicts", bench.conflicts as u64, "conflicts")?;

    bench.refuse()?;
    machine::forget_peak()?;
    figures.time("merge_ms", median_of(ROUNDS, |_| bench.refuse())?)?;
    figures.time("merge_first_conflict_ms", median_of(ROUNDS, |_| bench.first_conflict())?)?;
    figures.time("merge_source_wins_ms", median_of(ROUNDS, |_| bench.source_wins())?)?;
    figures.mib("merge_peak_mib", machine::peak_bytes()?)
}

pub(super) fn measure_scattered(settings: &Settings, figures: &mut Figures) -> anyhow::Result<()> {
    let lake = Lake::open(settings)?;
    let changes = (DIRECTORIES * CHANGES).min(lake.entries / 10);
    let stride = lake.entries / changes;
    let source = (0..changes).map(|number| number * stride);
    // Every hundredth path is the other side's; the others lie between its paths.
    let dest = (0..changes).map(|number| {
        let is_both = number.is_multiple_of(100);
        if is_both { number * stride } else { number * stride + stride / 2 }
    });
    let bench = Bench::new(settings, &lake, small_cache(), (source, dest), changes.div_ceil(100))?;

    machine::forget_peak()?;
    figures.time("merge_scattered_ms", median_of(LONG_ROUNDS, |_| bench.refuse())?)?;
    figures.time("merge_scattered_source_wins_ms", bench.source_wins()?)?;
    figures.mib("merge_scattered_peak_mib", machine::peak_bytes()?)
}

impl Bench {
    /// A merge into the lake of two sides that wrote other content to these paths.
    fn new(
        settings: &Settings,
        lake: &Lake,
        cache: CacheOptions,
        (source, dest): (impl Iterator<Item = usize>, impl Iterator<Item = usize>),
        conflicts: usize,
    ) -> anyhow::Result<Self> {
        let room = Room::over(lake, settings, Cores::Both)?;
        let store = room.store(cache);
        let base = lake.tree;
        let source = room.fold(&store, base, data::rewritten(3001, source))?.tree;
        let dest = room.fold(&store, base, data::rewritten(3002, dest))?.tree;
        Ok(Self { room, store, merge: Merge { base, source, dest, ..Merge::default() }, conflicts })
    }

    /// How long it takes to report all conflicts.
    fn refuse(&self) -> anyhow::Result<Duration> {
        let (took, merged) = timed(|| self.run(&self.merge))?;
        let MergeResult::Conflicts(found) = merged else { anyhow::bail!("there are conflicts") };
        anyhow::ensure!(found.len() == self.conflicts, "{} conflicts were found", found.len());
        Ok(took)
    }

    /// How long it takes to write the merged tree.
    fn source_wins(&self) -> anyhow::Result<Duration> {
        let merge = Merge { strategy: Strategy::SourceWins, ..self.merge.clone() };
        let (took, merged) = timed(|| self.run(&merge))?;
        anyhow::ensure!(matches!(merged, MergeResult::Merged(_)), "a conflict was not decided");
        Ok(took)
    }

    /// How long it takes to report one conflict.
    fn first_conflict(&self) -> anyhow::Result<Duration> {
        let Merge { base, source, dest, .. } = self.merge;
        let first = || {
            let mut conflicts = Conflicts::new(Arc::clone(&self.store), &self.room.pool, base, dest, source);
            Ok(self.room.runtime.block_on(conflicts.next())?)
        };
        let (took, found) = timed(first)?;
        anyhow::ensure!(found.is_some(), "there are conflicts");
        Ok(took)
    }

    fn run(&self, what: &Merge) -> anyhow::Result<MergeResult> {
        let Room { runtime, pool, format, .. } = &self.room;
        Ok(runtime.block_on(merge(&self.store, pool, format, what))?)
    }
}
