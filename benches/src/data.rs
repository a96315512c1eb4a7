//! A lake's paths and entries as a writer of tables leaves them: the same from the same seed.

use std::collections::BTreeMap;

use braid_tree::{Change, Record};
use braid_types::{AddressType, Entry, Time};

/// How many parts a day has.
const PARTS_A_DAY: usize = 1000;
/// Days of a month: every month has them.
const DAYS: usize = 28;
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
/// 2025-01-01T00:00:00Z.
const FIRST_MTIME: i64 = 1_735_689_600;

/// A sequence of numbers without pattern, the same from the same seed. Source: `SplitMix64`, Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", 2014.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `sides`, which is not zero.
    fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.roll() % sides as u64).expect("a remainder is below its divisor")
    }
}

/// The `index`-th path: 46 bytes, in byte order. Works for some eight thousand years of 28-day months.
pub(crate) fn path(index: usize) -> String {
    let (day, part) = (index / PARTS_A_DAY, index % PARTS_A_DAY);
    let (month, day) = (day / DAYS, day % DAYS + 1);
    let (year, month) = (2020 + month / 12, month % 12 + 1);
    // Parts are numbered with gaps, so that the digits of neighbours differ by more than one.
    let part = part * PARTS_A_DAY + Dice::new(index as u64).below(PARTS_A_DAY);
    format!("lake/events/day={year}-{month:02}-{day:02}/part-{part:06}.parquet")
}

/// An entry as an upload stages it: an address and an entity tag without pattern.
pub(crate) fn entry(dice: &mut Dice) -> Entry {
    Entry {
        address: format!("data/{}/{}", word(dice), word(dice)),
        address_type: AddressType::Relative,
        size: dice.roll() % (64 << 20),
        checksum: format!("{:016x}{:016x}", dice.roll(), dice.roll()),
        content_type: "application/vnd.apache.parquet".to_owned(),
        metadata: BTreeMap::new(),
        mtime: Time::from_seconds(FIRST_MTIME + i64::from(dice.roll() as u32 >> 8)),
    }
}

/// `count` records, in key order.
pub(crate) fn records(seed: u64, count: usize) -> Vec<Record> {
    let mut dice = Dice::new(seed);
    (0..count).map(|index| Record::new(path(index), &entry(&mut dice))).collect()
}

/// `count` changes, in key order, of paths spread evenly over the first `among`: of ten, eight put other content, one
/// deletes, and one puts a path that is new.
pub(crate) fn scattered(seed: u64, count: usize, among: usize) -> Vec<Change> {
    let mut dice = Dice::new(seed);
    let stride = among / count;
    (0..count).map(|number| change(number, path(number * stride + dice.below(stride)), &mut dice)).collect()
}

/// As [`scattered`], but of `count` paths in a row from the `first` on.
pub(crate) fn clustered(seed: u64, count: usize, first: usize) -> Vec<Change> {
    let mut dice = Dice::new(seed);
    (0..count).map(|number| change(number, path(first + number), &mut dice)).collect()
}

fn change(number: usize, path: String, dice: &mut Dice) -> Change {
    match number % 10 {
        0 => Change::delete(path),
        1 => Change::put(format!("{path}.crc"), &entry(dice)),
        _ => Change::put(path, &entry(dice)),
    }
}

/// Twenty characters, of which each says five bits.
fn word(dice: &mut Dice) -> String {
    (0..20).map(|_| char::from(DIGITS[dice.below(DIGITS.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_46_bytes_long_and_in_order() {
        let paths: Vec<_> = (0..30 * PARTS_A_DAY).map(path).collect();
        assert!(paths.iter().all(|path| path.len() == 46), "{}", paths[0]);
        assert!(paths.is_sorted_by(|one, next| one < next));
        assert!(path(1_000_000) > paths[paths.len() - 1]);
        assert_eq!(path(1_000_000).len(), 46);
    }

    #[test]
    fn a_seed_gives_the_same_records_each_time_and_another_others() {
        assert_eq!(records(1, 10), records(1, 10));
        assert_ne!(records(1, 10), records(2, 10));
        assert!(records(1, 1)[0].entry().unwrap().check("a").is_ok(), "the service would take the entry");
    }

    #[test]
    fn changes_are_in_order_and_of_each_kind() {
        for changes in [scattered(3, 100, 10_000), clustered(3, 100, 5000)] {
            assert!(changes.is_sorted_by(|one, next| one.key < next.key));
            assert_eq!(changes.iter().filter(|change| change.value.is_none()).count(), 10);
            assert_eq!(changes.iter().filter(|change| change.key.ends_with(b".crc")).count(), 10);
        }
    }
}
