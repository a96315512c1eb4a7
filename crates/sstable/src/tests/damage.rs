//! Damage anywhere in a file is noticed, and nothing in a file makes reading it panic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::craft::{Parts, contents, handles, replace};
use super::support::{Owned, Records, numbered, open, scan, write};
use crate::{BlockEnds, Compression, Corruption, Defect, WriterOptions, verify};

/// Small tables of several blocks: plain, with an index of two levels, compressed.
fn tables() -> Vec<(Records, Vec<u8>)> {
    let records = numbered(12);
    let options =
        |compression| WriterOptions { blocks: BlockEnds::Size(90), restart_interval: 2, compression };
    let snappy = write(&records, options(Compression::Snappy));
    let plain = write(&records, options(Compression::None));
    let mut split = Parts::of(plain.clone());
    split.split_index(plain.clone(), true);
    let zstd = write(&records, options(Compression::Zstd { level: 1 }));
    vec![plain, split.file(), snappy, zstd].into_iter().map(|file| (records.clone(), file)).collect()
}

fn read(file: Vec<u8>) -> Result<Vec<Owned>, Corruption> {
    scan(&open(file)?)
}

#[test]
fn every_flipped_bit_is_noticed() {
    for (records, file) in tables() {
        assert_eq!(read(file.clone()).unwrap(), Vec::from_iter(records));
        for bit in 0..8 * file.len() {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let read = read(damaged);
            assert!(read.is_err(), "bit {bit}: {read:?}");
        }
    }
}

#[test]
fn a_lookup_in_a_damaged_file_finds_the_record_or_an_error() {
    for (records, file) in tables() {
        for byte in 0..file.len() {
            let mut damaged = file.clone();
            damaged[byte] ^= 0x10;
            let Ok(table) = open(damaged) else { continue };
            for (key, value) in &records {
                if let Ok(found) = table.get(key) {
                    assert_eq!(found.as_deref(), Some(value.as_slice()), "byte {byte}");
                }
            }
        }
    }
}

#[test]
fn every_truncation_is_noticed() {
    for (_, file) in tables() {
        for len in 0..file.len() {
            assert!(open(file[..len].to_vec()).is_err(), "{len} bytes");
            assert!(open(file[file.len() - len..].to_vec()).is_err(), "the last {len} bytes");
        }
    }
}

#[test]
fn a_failed_cursor_fails_until_it_seeks_again() {
    let (records, mut file) = tables().swap_remove(0);
    let second = handles(&file)[1];
    file[second.offset as usize] ^= 1;
    let mut cursor = open(file).unwrap().cursor();
    let mut before = 0;
    let error = loop {
        match cursor.next() {
            Ok(_) => before += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error.what, Defect::Checksum { .. }), "{error}");
    assert_eq!(error.offset, second.offset);
    assert_eq!(cursor.next(), Err(error));
    assert_eq!(cursor.key(), None);
    let (last, value) = records.iter().next_back().unwrap();
    cursor.seek(last).unwrap();
    assert_eq!(cursor.next(), Ok(Some((last.as_slice(), value.as_slice()))));
    assert!(cursor.seek(records.keys().nth(before).unwrap()).is_err());
    assert!(cursor.next().is_err());
}

/// Reads a file in every way there is. What is read may be anything, but must be in order, and there must be an end to it.
fn read_in_all_ways(file: Vec<u8>) {
    let Ok(table) = open(file) else { return };
    if let Ok(records) = scan(&table) {
        assert!(records.is_sorted_by(|left, right| left.0 < right.0));
    }
    let mut cursor = table.cursor();
    for key in [b"".as_slice(), b"data/0003", b"data/0005!", b"data/0011", b"e", &[0xff; 20]] {
        let found = table.get(key);
        if cursor.seek(key).is_ok() {
            let met = cursor.next().map(|met| met.map(|(met, _)| met.to_vec()));
            assert!(!matches!(&met, Ok(Some(met)) if met.as_slice() < key), "seek {key:?} finds {met:?}");
        }
        drop(found);
    }
    let _ = verify(&table);
}

fn mutation() -> impl Strategy<Value = (Index, u8)> {
    let byte = prop_oneof![any::<u8>(), Just(0), Just(1), Just(0x7f), Just(0x80), Just(0xff), 0..16u8];
    (any::<Index>(), byte)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// As if by malice: the damaged blocks have the right checksums.
    #[test]
    fn no_block_makes_reading_panic(
        table in any::<Index>(), block in any::<Index>(), mutations in vec(mutation(), 1..4),
    ) {
        let (_, mut file) = table.get(&tables()[..2]).clone();
        let handle = *block.get(&handles(&file));
        let mut contents = contents(&file, handle);
        for (at, byte) in mutations {
            *at.get_mut(&mut contents) = byte;
        }
        replace(&mut file, handle, &contents);
        read_in_all_ways(file);
    }

    #[test]
    fn no_bytes_make_reading_panic(contents in vec(any::<u8>(), 0..60), count in 0..4u64) {
        read_in_all_ways(Parts::of_block(&contents, "~", count).file());
        let mut parts = Parts::of_block(&contents, "~", count);
        parts.index = contents;
        read_in_all_ways(parts.file());
    }
}
