//! Range files in memory: writing them, ids included, and scanning them. The floor of reading them is that their blocks are
//! checked and decompressed.

use braid_sstable::{Table, WriterOptions};
use braid_tree::Record;

use crate::data::{self, Addresses};
use crate::figures::Figures;
use crate::floor::{self, Block, Packer};
use crate::timing::median;

const RECORDS: usize = 200_000;
/// About as many as a range of a tree has.
const RECORDS_A_RANGE: usize = 8192;

pub(crate) fn measure(figures: &mut Figures) -> anyhow::Result<()> {
    let records: Vec<_> = data::records(1, RECORDS, Addresses::Batched).collect();
    let (written, files) = median(|| write(&records))?;
    let (floor_written, blocks) = median(|| floor_write(&records))?;
    let write = figures.rate("range_write_records_per_s", RECORDS, written, "records/s")?;
    let floor = figures.rate("range_write_floor_records_per_s", RECORDS, floor_written, "records/s")?;
    figures.ratio("range_write_of_floor", write, floor)?;

    let tables = files.into_iter().map(|file| Table::open(file.into())).collect::<Result<Vec<_>, _>>()?;
    let (scanned, found) = median(|| scan(&tables))?;
    anyhow::ensure!(found == RECORDS, "{found} records were scanned");
    let (floor_scanned, ()) = median(|| floor::unpack(&blocks))?;
    let scan = figures.rate("range_scan_records_per_s", RECORDS, scanned, "records/s")?;
    let floor = figures.rate("range_scan_floor_records_per_s", RECORDS, floor_scanned, "records/s")?;
    figures.ratio("range_scan_of_floor", scan, floor)
}

/// Files of ranges with these records, as many as that takes.
fn write(records: &[Record]) -> anyhow::Result<Vec<Vec<u8>>> {
    records.chunks(RECORDS_A_RANGE).map(write_range).collect()
}

fn write_range(records: &[Record]) -> anyhow::Result<Vec<u8>> {
    std::hint::black_box(floor::hash(records));
    floor::encode(records, WriterOptions::default())
}

/// The number of records that the tables have, each read.
fn scan(tables: &[Table]) -> anyhow::Result<usize> {
    let mut count = 0;
    for table in tables {
        let mut cursor = table.cursor();
        while let Some(record) = cursor.next()? {
            std::hint::black_box(record);
            count += 1;
        }
    }
    Ok(count)
}

fn floor_write(records: &[Record]) -> anyhow::Result<Vec<Block>> {
    let options = WriterOptions::default();
    let mut packer = Packer::new(options.compression)?;
    let mut packed = Vec::new();
    for range in records.chunks(RECORDS_A_RANGE) {
        std::hint::black_box(floor::hash(range));
        for block in floor::blocks(range, options.blocks) {
            packed.push(packer.pack(&block)?);
        }
    }
    Ok(packed)
}
