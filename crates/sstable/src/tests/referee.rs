//! Files that other programs wrote. They are not kept here: `BRAID_REFEREE_DATA` names the folder that has them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;

use super::by_block::check_by_block;
use super::support::{Records, check_lookups, scan};
use crate::{RecordHasher, Table, Writer, WriterOptions, verify};

const LAKEFS: [(&str, usize); 4] = [("range", 2), ("metarange", 1), ("ok1", 105), ("56569996", 13868)];
const ROCKSDB: [&str; 7] = [
    "h",
    "h.no-compression",
    "h.no-compression.two_level_index",
    "h.block-bloom.no-compression",
    "h.table-bloom",
    "h.table-bloom.no-compression",
    "h.table-bloom.no-compression.prefix_extractor.no_whole_key_filter",
];

fn sample(name: &str) -> Bytes {
    let folder =
        std::env::var_os("BRAID_REFEREE_DATA").expect("BRAID_REFEREE_DATA names the folder of sample files");
    let path = PathBuf::from(folder).join("sst").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

fn lakefs(name: &str) -> Table {
    Table::open(sample(&format!("lakefs/{name}.sst"))).unwrap()
}

fn read_in_all_ways(table: &Table) -> Records {
    verify(table).unwrap();
    let records: Records = scan(table).unwrap().into_iter().collect();
    check_lookups(table, &records);
    check_by_block(table.file().clone(), &records);
    records
}

#[test]
#[ignore = "needs the sample files and sst_dump: make test-referee"]
fn referee_tables_of_lakefs_read_completely() {
    for (name, count) in LAKEFS {
        assert_eq!(read_in_all_ways(&lakefs(name)).len(), count, "{name}");
    }
    assert!(lakefs("56569996").has_two_levels());
}

#[test]
#[ignore = "needs the sample files and sst_dump: make test-referee"]
fn referee_tables_of_rocksdb_read_completely() {
    let words = sample("rocksdb/h.txt");
    let words: Records = std::str::from_utf8(&words)
        .unwrap()
        .lines()
        .map(|line| {
            let (count, word) = line.trim_start().split_once(' ').unwrap();
            (word.as_bytes().to_vec(), count.as_bytes().to_vec())
        })
        .collect();
    for name in ROCKSDB {
        let table = Table::open(sample(&format!("rocksdb/{name}.sst"))).unwrap();
        assert_eq!(read_in_all_ways(&table), words, "{name}");
    }
}

#[test]
#[ignore = "needs the sample files and sst_dump: make test-referee"]
fn referee_a_range_hashes_to_the_id_in_its_metarange() {
    let mut hasher = RecordHasher::new();
    for (key, value) in scan(&lakefs("range")).unwrap() {
        hasher.add(&key, &value);
    }
    let id = hex::encode(hasher.finish(&BTreeMap::from([("type".to_owned(), "ranges".to_owned())])));
    let metarange = scan(&lakefs("metarange")).unwrap();
    let (_, value) = &metarange[0];
    // Two bytes hold the identity's length; the identity is the range's id.
    assert_eq!(&value[2..66], id.as_bytes());
}

/// The same records give lakeFS's data blocks to the byte, and its properties but for the index's size.
#[test]
#[ignore = "needs the sample files and sst_dump: make test-referee"]
fn referee_what_is_written_is_what_lakefs_writes() {
    for (name, _) in LAKEFS {
        let theirs = lakefs(name);
        let ours = rewrite(&theirs);
        let data_end = theirs.index_block().offset().min(ours.index_block().offset()) as usize;
        let differs = (0..data_end).find(|&at| theirs.file()[at] != ours.file()[at]);
        assert_eq!(differs, None, "{name}");
        assert_eq!(comparable(&theirs), comparable(&ours), "{name}");
    }
}

fn rewrite(table: &Table) -> Table {
    let mut writer = Writer::new(WriterOptions::default());
    for (key, value) in scan(table).unwrap() {
        writer.add(&key, &value).unwrap();
    }
    let own = table.properties().iter().filter(|(name, _)| !name.starts_with("rocksdb."));
    let own = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    Table::open(writer.finish(&own).unwrap().into()).unwrap()
}

/// A table's properties without those that depend on how its index is laid out.
fn comparable(table: &Table) -> BTreeMap<String, Vec<u8>> {
    let depends = |name: &str| name.contains("index");
    table
        .properties()
        .iter()
        .filter(|(name, _)| !depends(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
