//! Writes tables of many shapes to a folder, for other programs to read: `range_file FOLDER`.
//!
//! Beside each `NAME.sst`, `NAME.list` has a line for each record: key and value in hexadecimal, with a space between them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use braid_sstable::{BlockEnds, Compression, Writer, WriterOptions};

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: range_file FOLDER")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    for (name, records, options) in shapes() {
        fs::write(folder.join(format!("{name}.sst")), table(&records, options)?)?;
        fs::write(folder.join(format!("{name}.list")), listing(&records)?)?;
        println!("{name}: {} records", records.len());
    }
    Ok(())
}

fn shapes() -> Vec<(&'static str, Records, WriterOptions)> {
    let lakefs = WriterOptions::default();
    let plain = WriterOptions { compression: Compression::None, ..lakefs };
    let shaped = |block_size, restart_interval| WriterOptions {
        blocks: BlockEnds::Size(block_size),
        restart_interval,
        ..lakefs
    };
    let zstd = |level, blocks| WriterOptions { blocks, compression: Compression::Zstd { level }, ..lakefs };
    let content = BlockEnds::Content { min: 8 * 1024, max: 32 * 1024, one_in: 32 };
    vec![
        ("empty", paths(0), lakefs),
        ("one", paths(1), lakefs),
        ("lakefs-like", paths(20_000), lakefs),
        ("plain", paths(20_000), plain),
        ("record-a-block", paths(500), shaped(1, 16)),
        ("restart-a-record", paths(2_000), shaped(4096, 1)),
        ("large-blocks", paths(20_000), shaped(256 * 1024, 64)),
        ("one-restart", paths(2_000), shaped(64 * 1024, usize::MAX)),
        ("no-values", paths(5_000).into_keys().map(|key| (key, Vec::new())).collect(), lakefs),
        ("adjacent-keys", adjacent(), shaped(1, 1)),
        ("zstd", paths(20_000), zstd(1, BlockEnds::Size(16 * 1024))),
        ("zstd-3-large-blocks", paths(20_000), zstd(3, BlockEnds::Size(256 * 1024))),
        ("zstd-record-a-block", paths(500), zstd(1, BlockEnds::Size(1))),
        ("zstd-empty", paths(0), zstd(1, content)),
        ("zstd-bytes", bytes(), zstd(19, BlockEnds::Size(64))),
        ("zstd-large-values", large_values(), zstd(1, content)),
        ("zstd-content-ends", paths(20_000), zstd(1, content)),
        ("content-ends", paths(20_000), WriterOptions { blocks: content, ..lakefs }),
        ("bytes", bytes(), shaped(64, 4)),
        ("long-keys", long_keys(), lakefs),
        ("large-values", large_values(), lakefs),
    ]
}

/// Paths as in a data lake, with values that compress in part.
fn paths(count: u64) -> Records {
    let record = |number: u64| {
        let (day, part) = (number / 250, number % 250);
        let key = format!("events/day={day:04}/part-{part:05}.snappy.parquet");
        (key.into_bytes(), [noise(number, 40), b"data/stored/at/an/address/".repeat(3)].concat())
    };
    (0..count).map(record).collect()
}

/// Keys between which there is no room for a shorter one.
fn adjacent() -> Records {
    let keys = (0..=255).flat_map(|byte| [vec![b'a', byte], vec![b'a', byte, 0], vec![b'a', byte, 0xff]]);
    keys.map(|key| (key, b"value".to_vec())).collect()
}

/// Keys of any bytes, runs of the highest among them.
fn bytes() -> Records {
    let mut records: Records =
        (0..3_000).map(|number| (noise(number, 1 + number as usize % 7), noise(number, 9))).collect();
    records.extend((1..40).map(|len| (vec![0xff; len], vec![0; len])));
    records.extend((1..40).map(|len| (vec![0; len], vec![0xff; len])));
    records
}

fn long_keys() -> Records {
    (0..50)
        .map(|number| (format!("{}{number:03}", "deep/".repeat(800)).into_bytes(), noise(number, 3)))
        .collect()
}

/// Values longer than a block, which compress well, or not at all.
fn large_values() -> Records {
    let value = |number: u64| match number % 3 {
        0 => noise(number, 100_000),
        1 => b"again ".repeat(100_000),
        _ => Vec::new(),
    };
    (0..20).map(|number| (format!("large/{number:02}").into_bytes(), value(number))).collect()
}

/// Bytes that look random and are the same in each run (SplitMix64).
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let word = |index: u64| {
        let mixed = (seed ^ index << 40).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31).to_le_bytes()
    };
    (0..len.div_ceil(8) as u64).flat_map(word).take(len).collect()
}

fn table(records: &Records, options: WriterOptions) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut writer = Writer::new(options);
    for (key, value) in records {
        writer.add(key, value)?;
    }
    let properties = [
        ("count", records.len().to_string().into_bytes()),
        ("estimated_size_bytes", writer.raw_bytes().to_string().into_bytes()),
        ("max_key", records.keys().next_back().cloned().unwrap_or_default()),
        ("min_key", records.keys().next().cloned().unwrap_or_default()),
        ("type", b"ranges".to_vec()),
    ];
    let properties = properties.map(|(name, value)| (name.to_owned(), value));
    Ok(writer.finish(&BTreeMap::from(properties))?)
}

fn listing(records: &Records) -> Result<String, Box<dyn Error>> {
    let mut lines = String::new();
    for (key, value) in records {
        writeln!(lines, "{} {}", hex::encode(key), hex::encode(value))?;
    }
    Ok(lines)
}
