//! Writing a tree on one core, ids and checksums included; what of it is compressing, hashing and encoding.

use std::time::{Duration, Instant};

use braid_sstable::{Compression, WriterOptions};
use braid_tree::{Folded, Summary, build};

use super::generator::Generator;
use super::room::{Cores, Room, format, small_cache};
use super::settings::Settings;
use crate::data::{self, Addresses};
use crate::figures::Figures;
use crate::floor::{self, Packer};
use crate::machine;
use crate::timing::{median, median_of, middle};

/// Rounds that each take many seconds.
const ROUNDS: usize = 3;

/// Records that the floors are measured with.
const SAMPLE: usize = 200_000;

/// About as many as a range has.
const RECORDS_A_RANGE: usize = 8192;

pub(super) fn measure(settings: &Settings, figures: &mut Figures) -> anyhow::Result<()> {
    let mut summary = Summary::default();
    let mut peak = 0;
    let mut storing = Vec::new();
    let built = median_of(ROUNDS, |round| {
        let room = Room::empty(settings, Cores::One)?;
        machine::forget_peak()?;
        let (took, folded) = build_once(&room, settings.entries, round as u64)?;
        peak = peak.max(machine::peak_bytes()?);
        summary = folded.summary;
        storing.push(room.storing(None, folded.tree)?);
        Ok(took)
    })?;
    let rate = figures.rate("build_entries_per_s", settings.entries, built, "entries/s")?;
    figures.mib("build_peak_mib", peak)?;
    figures.count("build_ranges", summary.ranges_written, "ranges")?;
    figures.per("build_bytes_per_entry", summary.bytes_written as f64, settings.entries as f64, "bytes")?;
    figures.ratio("build_share_storing", middle(storing).as_secs_f64(), built.as_secs_f64())?;
    print_floors(figures, rate)
}

/// How long the build takes without what the records cost to make: on one core that is no part of it.
fn build_once(room: &Room, entries: usize, seed: u64) -> anyhow::Result<(Duration, Folded)> {
    let store = room.store(small_cache());
    let records = Generator::new(data::records(seed, entries, Addresses::Batched));
    let cost = records.cost();
    let started = Instant::now();
    let folded = room.runtime.block_on(build(&store, &room.pool, &room.format, records))?;
    Ok((started.elapsed().saturating_sub(cost.time()), folded))
}

fn print_floors(figures: &mut Figures, rate: f64) -> anyhow::Result<()> {
    let records: Vec<_> = data::records(1, SAMPLE, Addresses::Batched).collect();
    let table = format().table;
    let plain = WriterOptions { compression: Compression::None, ..table };
    let ranges: Vec<_> = records.chunks(RECORDS_A_RANGE).collect();
    let hashing = each(&ranges, |range| Ok(floor::hash(range)))?;
    let encoding = each(&ranges, |range| floor::encode(range, plain))?;
    let mut packer = Packer::new(table.compression)?;
    let blocks = floor::blocks(&records, table.blocks);
    let compressing = each(&blocks.iter().collect::<Vec<_>>(), |block| packer.pack(block))?;

    let floor = figures.rate("build_floor_entries_per_s", SAMPLE, hashing + compressing, "entries/s")?;
    figures.ratio("build_of_floor", rate, floor)?;
    let whole = SAMPLE as f64 / rate;
    figures.ratio("build_share_hashing", hashing.as_secs_f64(), whole)?;
    figures.ratio("build_share_compression", compressing.as_secs_f64(), whole)?;
    figures.ratio("build_share_encoding", encoding.as_secs_f64(), whole)
}

/// The median time of doing `work` with every item.
fn each<I: Copy, T>(items: &[I], mut work: impl FnMut(I) -> anyhow::Result<T>) -> anyhow::Result<Duration> {
    let round = || {
        for item in items {
            std::hint::black_box(work(*item)?);
        }
        Ok(())
    };
    Ok(median(round)?.0)
}
