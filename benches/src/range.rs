//! Range files in memory: writing them, ids included, and scanning them.
//!
//! The floor is what every such file costs whoever writes or reads it: its records hashed, and its blocks, without what keys
//! share with the ones before them, compressed and checksummed; or its blocks checked and decompressed.

use std::collections::BTreeMap;

use braid_sstable::{RecordHasher, Table, Writer, WriterOptions};
use braid_tree::Record;
use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

use crate::data;
use crate::figures::Figures;
use crate::timing::median;

const RECORDS: usize = 200_000;
/// About as many as a range of a tree has.
const RECORDS_A_RANGE: usize = 8192;

/// A block as the floor stores it.
struct FloorBlock {
    compressed: Vec<u8>,
    checksum: u32,
}

pub(crate) fn measure(figures: &mut Figures) -> anyhow::Result<()> {
    let records = data::records(1, RECORDS);
    let (written, files) = median(|| write(&records))?;
    let (floor_written, blocks) = median(|| floor_write(&records))?;
    let write = figures.rate("range_write_records_per_s", RECORDS, written, "records/s")?;
    let floor = figures.rate("range_write_floor_records_per_s", RECORDS, floor_written, "records/s")?;
    figures.ratio("range_write_of_floor", write, floor)?;

    let tables = files.into_iter().map(|file| Table::open(file.into())).collect::<Result<Vec<_>, _>>()?;
    let (scanned, found) = median(|| scan(&tables))?;
    anyhow::ensure!(found == RECORDS, "{found} records were scanned");
    let (floor_scanned, _) = median(|| floor_scan(&blocks))?;
    let scan = figures.rate("range_scan_records_per_s", RECORDS, scanned, "records/s")?;
    let floor = figures.rate("range_scan_floor_records_per_s", RECORDS, floor_scanned, "records/s")?;
    figures.ratio("range_scan_of_floor", scan, floor)
}

/// Files of ranges with these records, as many as that takes.
pub(crate) fn write(records: &[Record]) -> anyhow::Result<Vec<Vec<u8>>> {
    records.chunks(RECORDS_A_RANGE).map(write_range).collect()
}

fn write_range(records: &[Record]) -> anyhow::Result<Vec<u8>> {
    let mut writer = Writer::new(WriterOptions::default());
    let mut hasher = RecordHasher::new();
    for Record { key, value } in records {
        writer.add(key, value.as_bytes())?;
        hasher.add(key, value.as_bytes());
    }
    let id = hasher.finish(&BTreeMap::from([("type".to_owned(), "ranges".to_owned())]));
    std::hint::black_box(id);
    Ok(writer.finish(&BTreeMap::from([("type".to_owned(), b"ranges".to_vec())]))?)
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

fn floor_write(records: &[Record]) -> anyhow::Result<Vec<FloorBlock>> {
    let mut encoder = FloorEncoder { encoder: Encoder::new(), room: Vec::new() };
    let mut blocks = Vec::new();
    for range in records.chunks(RECORDS_A_RANGE) {
        let mut hasher = RecordHasher::new();
        let mut block = Vec::new();
        let mut previous: &[u8] = &[];
        for Record { key, value } in range {
            hasher.add(key, value.as_bytes());
            block.extend_from_slice(&key[shared(previous, key)..]);
            block.extend_from_slice(value.as_bytes());
            previous = key;
            if block.len() >= 4096 {
                blocks.push(encoder.encode(&block)?);
                block.clear();
            }
        }
        blocks.push(encoder.encode(&block)?);
        std::hint::black_box(hasher.finish(&BTreeMap::new()));
    }
    Ok(blocks)
}

/// With how many equal bytes two keys begin.
fn shared(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

fn floor_scan(blocks: &[FloorBlock]) -> anyhow::Result<()> {
    let mut decoder = Decoder::new();
    let mut room = Vec::new();
    for FloorBlock { compressed, checksum } in blocks {
        anyhow::ensure!(crc32c::crc32c(compressed) == *checksum, "memory changed");
        room.resize(room.len().max(decompress_len(compressed)?), 0);
        decoder.decompress(compressed, &mut room)?;
        std::hint::black_box(&room);
    }
    Ok(())
}

/// Compresses in room that it keeps.
struct FloorEncoder {
    encoder: Encoder,
    room: Vec<u8>,
}

impl FloorEncoder {
    fn encode(&mut self, block: &[u8]) -> anyhow::Result<FloorBlock> {
        self.room.resize(self.room.len().max(max_compress_len(block.len())), 0);
        let len = self.encoder.compress(block, &mut self.room)?;
        let compressed = self.room[..len].to_vec();
        Ok(FloorBlock { checksum: crc32c::crc32c(&compressed), compressed })
    }
}
