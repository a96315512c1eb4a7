//! Measures what the choices of a writer cost and save, on records of a data lake: `block_choices [RECORDS]`.
//!
//! Prints a table in Markdown, a line for each choice. Figures are of one core and the machine that this runs on; those of
//! sizes are the same everywhere.

mod records;

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use braid_sstable::{
    BlockEnds, Compression, RecordHasher, Table, TableIndex, Tail, Writer, WriterOptions, skip_equal_blocks,
};
use bytes::Bytes;
use records::{Dice, PARTS_A_DAY, Records};

/// How many bytes of a path say in which range it is: those of its day.
const RANGE_PREFIX: usize = "lake/events/day=2020-01-01/".len();
const LOOKUPS: usize = 20_000;
const RUNS: usize = 5;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let count = std::env::args().nth(1).map_or(Ok(200_000), |count| count.parse())?;
    let records = records::records(count);
    let changed = records::changed(&records, 100);
    let raw: usize = records.iter().map(|(key, value)| key.len() + value.len()).sum();
    println!("{count} records of {} bytes, {PARTS_A_DAY} a range\n", raw / records.len());
    println!(
        "| compression | block ends | bytes an entry | blocks a range | stored block, mean / max | index bytes, per million entries \
         | tail needed | write, entries/s | scan, entries/s | block + lookup, µs | equal after 1 % | diff, entries/s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for compression in compressions() {
        for blocks in block_ends() {
            let options = WriterOptions { blocks, compression, ..WriterOptions::default() };
            println!("{}", line(&records, &changed, options)?);
        }
    }
    Ok(())
}

fn compressions() -> Vec<Compression> {
    vec![
        Compression::None,
        Compression::Snappy,
        Compression::Zstd { level: 1 },
        Compression::Zstd { level: 3 },
    ]
}

fn block_ends() -> Vec<BlockEnds> {
    const KIB: usize = 1024;
    let sizes = [4, 8, 16, 32, 64].map(|size| BlockEnds::Size(size * KIB));
    let content = [(4, 16, 16), (8, 32, 32), (8, 32, 64), (16, 64, 64), (32, 128, 64)]
        .map(|(min, max, one_in)| BlockEnds::Content { min: min * KIB, max: max * KIB, one_in });
    sizes.into_iter().chain(content).collect()
}

fn line(records: &Records, changed: &Records, options: WriterOptions) -> Result<String> {
    let (writing, files) = fastest(|| write(records, options))?;
    let bytes: usize = files.iter().map(Bytes::len).sum();
    let tables = open(files)?;
    let (scanning, found) = fastest(|| scan(&tables))?;
    assert_eq!(found, records.len(), "all records are scanned");
    let lookup = look_up(&tables, records)?;
    let others = open(write(changed, options)?)?;
    let (comparing, _) = fastest(|| differences(&tables, &others))?;
    let blocks: Vec<u64> = tables
        .iter()
        .flat_map(|table| (0..table.index().blocks()).map(|block| stored_len(table, block)))
        .collect();
    let per = |total: usize| total as f64 / records.len() as f64;
    let rate = |time: Duration| records.len() as f64 / time.as_secs_f64() / 1e6;
    let index: usize = tables.iter().map(|table| table.index().memory_bytes()).sum();
    let tails = tables.iter().map(needed_tail).collect::<Result<Vec<_>>>()?;
    Ok(format!(
        "| {} | {} | {:.1} | {} | {} / {} | {:.0} | {} | {:.2} M | {:.1} M | {:.1} | {:.0} % | {:.1} M |",
        compression_name(options.compression),
        blocks_name(options.blocks),
        per(bytes),
        blocks.len() / tables.len(),
        blocks.iter().sum::<u64>() / blocks.len() as u64,
        blocks.iter().max().unwrap_or(&0),
        per(index) * 1e6,
        tails.iter().max().unwrap_or(&0),
        rate(writing),
        rate(scanning),
        lookup.as_secs_f64() * 1e6,
        equal_blocks(&tables, &others) * 100.0,
        rate(comparing),
    ))
}

/// The shortest of a few runs, and what it returned.
fn fastest<T>(mut run: impl FnMut() -> Result<T>) -> Result<(Duration, T)> {
    let mut best = None;
    for _ in 0..RUNS {
        let start = Instant::now();
        let made = run()?;
        let time = start.elapsed();
        best = best.filter(|(shortest, _)| *shortest <= time).or(Some((time, made)));
    }
    best.ok_or("no runs".into())
}

/// The files of ranges with these records, hashed as a tree's are. They break at the same keys in both versions.
fn write(records: &Records, options: WriterOptions) -> Result<Vec<Bytes>> {
    let mut files = Vec::new();
    let mut records = records.iter().peekable();
    while let Some(first) = records.peek().map(|(key, _)| day(key)) {
        let mut writer = Writer::new(options);
        let mut hasher = RecordHasher::new();
        while let Some((key, value)) = records.next_if(|(key, _)| day(key) == first) {
            writer.add(key, value)?;
            hasher.add(key, value);
        }
        black_box(hasher.finish(&BTreeMap::new()));
        files.push(writer.finish(&BTreeMap::from([("type".to_owned(), b"ranges".to_vec())]))?.into());
    }
    Ok(files)
}

/// The part of a path that all records of a range share.
fn day(key: &[u8]) -> &[u8] {
    &key[..key.len().min(RANGE_PREFIX)]
}

fn open(files: Vec<Bytes>) -> Result<Vec<Table>> {
    Ok(files.into_iter().map(Table::open).collect::<std::result::Result<_, _>>()?)
}

fn scan(tables: &[Table]) -> Result<usize> {
    let mut count = 0;
    for table in tables {
        let mut cursor = table.cursor();
        while let Some(record) = cursor.next()? {
            black_box(record);
            count += 1;
        }
    }
    Ok(count)
}

/// The mean time to decode a block that was fetched, and to look a record up in it.
fn look_up(tables: &[Table], records: &Records) -> Result<Duration> {
    let mut dice = Dice::new(7);
    let keys: Vec<_> = records.keys().collect();
    let sought: Vec<_> = (0..LOOKUPS)
        .map(|_| {
            let number = dice.roll() as usize % keys.len();
            (&tables[number / PARTS_A_DAY as usize], keys[number])
        })
        .collect();
    let (time, ()) = fastest(|| {
        for (table, key) in &sought {
            let block = table.index().find(key).ok_or("a key is above all separators")?;
            let found = table.data_block(block)?.get(key)?;
            black_box(found.ok_or("a key is not found")?);
        }
        Ok(())
    })?;
    Ok(time / LOOKUPS as u32)
}

/// How many last bytes of the file it takes to open it.
fn needed_tail(table: &Table) -> Result<u64> {
    let file = table.file();
    let mut len = 53;
    while let Tail::Short { needed } =
        TableIndex::from_tail(file.slice(file.len() - len as usize..), Some(file.len() as u64))?
    {
        len = needed;
    }
    Ok(len)
}

/// The share of blocks that are in both, byte for byte.
fn equal_blocks(tables: &[Table], others: &[Table]) -> f64 {
    let known: HashSet<Bytes> = stored_blocks(tables).into_iter().collect();
    let blocks = stored_blocks(others);
    blocks.iter().filter(|block| known.contains(*block)).count() as f64 / blocks.len() as f64
}

fn stored_blocks(tables: &[Table]) -> Vec<Bytes> {
    let of_table = |table: &Table| {
        let blocks = 0..table.index().blocks();
        blocks.filter_map(|block| table.index().stored(block, table.file(), 0)).collect::<Vec<_>>()
    };
    tables.iter().flat_map(of_table).collect()
}

fn stored_len(table: &Table, block: usize) -> u64 {
    let span = table.index().span(block..block + 1);
    span.end - span.start
}

/// The number of keys that differ, found as a diff finds them.
fn differences(tables: &[Table], others: &[Table]) -> Result<usize> {
    let mut differences = 0;
    for (table, other) in tables.iter().zip(others) {
        let (mut one, mut other) = (table.cursor(), other.cursor());
        loop {
            skip_equal_blocks(&mut one, &mut other)?;
            one.next()?;
            other.next()?;
            while one.key() != other.key() {
                let behind = match (one.key(), other.key()) {
                    (Some(key), Some(other_key)) if key > other_key => &mut other,
                    (Some(_), _) => &mut one,
                    (None, _) => &mut other,
                };
                behind.next()?;
                differences += 1;
            }
            if one.key().is_none() {
                break;
            }
            differences += usize::from(one.value() != other.value());
        }
    }
    Ok(differences)
}

fn compression_name(compression: Compression) -> String {
    match compression {
        Compression::None => "none".to_owned(),
        Compression::Snappy => "snappy".to_owned(),
        Compression::Zstd { level } => format!("zstd-{level}"),
    }
}

fn blocks_name(blocks: BlockEnds) -> String {
    match blocks {
        BlockEnds::Size(size) => format!("{} KiB", size >> 10),
        BlockEnds::Content { min, max, one_in } => {
            format!("content, {} to {} KiB, one key in {one_in}", min >> 10, max >> 10)
        }
    }
}
