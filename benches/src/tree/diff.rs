//! What differs between two trees of which one has changes of one path in a hundred, on both cores.

use std::sync::Arc;
use std::time::Duration;

use braid_cache::CacheOptions;
use braid_tree::{Change, Diff, RangeStore, TreeId};

use super::lake::Lake;
use super::room::{Cores, Room, small_cache};
use super::scan::scan;
use super::settings::Settings;
use crate::data::{self, PARTS_A_DAY};
use crate::figures::Figures;
use crate::machine;
use crate::timing::{ROUNDS, median_of, middle, timed};

/// Of so many paths, one differs.
const ONE_IN: usize = 100;
/// Directories in which they are, if not everywhere.
const DIRECTORIES: usize = 10;

/// Rounds that each take seconds.
const LONG_ROUNDS: usize = 3;

/// Two trees, and where they are compared.
struct Bench {
    room: Room,
    store: Arc<dyn RangeStore>,
    left: TreeId,
    right: TreeId,
    /// How many paths differ.
    differences: usize,
}

pub(super) fn measure(settings: &Settings, figures: &mut Figures) -> anyhow::Result<()> {
    let lake = Lake::open(settings)?;
    let in_each = (lake.entries / ONE_IN / DIRECTORIES).min(PARTS_A_DAY);
    let changes = data::mixed(4001, data::in_directories(DIRECTORIES, lake.entries, 0..in_each));
    let bench = Bench::new(settings, &lake, CacheOptions::default(), changes)?;
    figures.count("diff_clustered_paths", bench.differences as u64, "paths")?;

    bench.all()?;
    machine::forget_peak()?;
    figures.time("diff_clustered_ms", median_of(ROUNDS, |_| bench.all())?)?;
    figures.time("diff_first_ms", median_of(ROUNDS, |_| bench.first())?)?;
    figures.mib("diff_clustered_peak_mib", machine::peak_bytes()?)
}

pub(super) fn measure_scattered(settings: &Settings, figures: &mut Figures) -> anyhow::Result<()> {
    let lake = Lake::open(settings)?;
    let changes = data::mixed(4002, data::spread(4002, lake.entries / ONE_IN, lake.entries));
    let bench = Bench::new(settings, &lake, small_cache(), changes)?;

    machine::forget_peak()?;
    let mut floors = Vec::new();
    let mut peak = 0;
    let all = median_of(LONG_ROUNDS, |_| {
        let took = bench.all()?;
        peak = peak.max(machine::peak_bytes()?);
        floors.push(timed(|| bench.scan_both())?.0);
        machine::forget_peak()?;
        Ok(took)
    })?;
    figures.time("diff_scattered_ms", all)?;
    let floor = middle(floors);
    figures.time("diff_scattered_floor_two_scans_ms", floor)?;
    figures.ratio("diff_scattered_of_two_scans", all.as_secs_f64(), floor.as_secs_f64())?;
    figures.mib("diff_scattered_peak_mib", peak)
}

impl Bench {
    /// The lake, and the lake with these changes.
    fn new(
        settings: &Settings,
        lake: &Lake,
        cache: CacheOptions,
        changes: Vec<Change>,
    ) -> anyhow::Result<Self> {
        let room = Room::over(lake, settings, Cores::Both)?;
        let store = room.store(cache);
        let differences = changes.len();
        let right = room.fold(&store, lake.tree, changes)?.tree;
        Ok(Self { room, store, left: lake.tree, right, differences })
    }

    fn diff(&self) -> Diff {
        Diff::new(Arc::clone(&self.store), &self.room.pool, self.left, self.right)
    }

    /// How long it takes to report every difference.
    fn all(&self) -> anyhow::Result<Duration> {
        let (took, found) = timed(|| {
            self.room.runtime.block_on(async {
                let mut diff = self.diff();
                let mut count = 0;
                while let Some(difference) = diff.next().await? {
                    std::hint::black_box(difference);
                    count += 1;
                }
                Ok(count)
            })
        })?;
        anyhow::ensure!(found == self.differences, "{found} paths differ");
        Ok(took)
    }

    /// How long it takes to report one difference.
    fn first(&self) -> anyhow::Result<Duration> {
        let (took, found) = timed(|| Ok(self.room.runtime.block_on(self.diff().next())?))?;
        anyhow::ensure!(found.is_some(), "paths differ");
        Ok(took)
    }

    /// Reads both trees, each on a core of its own.
    fn scan_both(&self) -> anyhow::Result<()> {
        let scans = [self.left, self.right].map(|tree| {
            let store = Arc::clone(&self.store);
            self.room.runtime.spawn(async move { scan(&store, tree, usize::MAX).await })
        });
        self.room.runtime.block_on(async {
            for scan in scans {
                scan.await??;
            }
            Ok(())
        })
    }
}
