//! A lake's paths, entries and changes: the same from the same seed, and none of it held in memory but what is asked for.
//!
//! Paths are 46 bytes long and numbered in their order; [`PARTS_A_DAY`] of them are a directory.

mod dice;
mod uploads;

use std::ops::Range;

use braid_tree::{Change, Record};

use dice::Dice;
pub(crate) use uploads::{Addresses, Uploads};

/// Goes up with every change of what the generator gives.
pub(crate) const GENERATOR_VERSION: u32 = 1;

/// How many parts a day has: the paths of one directory.
pub(crate) const PARTS_A_DAY: usize = 10_000;
/// Parts are numbered with gaps, so that the digits of neighbours differ by more than one.
const PART_GAP: usize = 100;
/// Days of a month: every month has them.
const DAYS: usize = 28;

/// The `index`-th path: 46 bytes, in byte order. Works for some eight thousand years of 28-day months.
pub(crate) fn path(index: usize) -> String {
    let (day, part) = (index / PARTS_A_DAY, index % PARTS_A_DAY);
    let (month, day) = (day / DAYS, day % DAYS + 1);
    let (year, month) = (2020 + month / 12, month % 12 + 1);
    let part = part * PART_GAP + Dice::new(index as u64).below(PART_GAP);
    format!("lake/events/day={year}-{month:02}-{day:02}/part-{part:06}.parquet")
}

/// The first `count` paths with their entries, in key order.
pub(crate) fn records(
    seed: u64,
    count: usize,
    addresses: Addresses,
) -> impl Iterator<Item = Record> + Send + Unpin {
    let mut uploads = Uploads::new(seed, addresses);
    (0..count).map(move |index| Record::new(path(index), &uploads.next_entry()))
}

/// Changes of the paths with these numbers, which ascend: of ten, eight put other content, one deletes, and one puts a path
/// that is new.
pub(crate) fn mixed(seed: u64, indexes: impl IntoIterator<Item = usize>) -> Vec<Change> {
    let mut uploads = Uploads::new(seed, Addresses::Batched);
    let change = |(number, index)| match number % 10 {
        0 => Change::delete(path(index)),
        1 => Change::put(format!("{}.crc", path(index)), &uploads.next_entry()),
        _ => Change::put(path(index), &uploads.next_entry()),
    };
    indexes.into_iter().enumerate().map(change).collect()
}

/// Other content for the paths with these numbers, which ascend.
pub(crate) fn rewritten(seed: u64, indexes: impl IntoIterator<Item = usize>) -> Vec<Change> {
    let mut uploads = Uploads::new(seed, Addresses::Batched);
    indexes.into_iter().map(|index| Change::put(path(index), &uploads.next_entry())).collect()
}

/// So many bytes without pattern.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| dice.roll().to_le_bytes()).collect();
    bytes.truncate(len);
    bytes
}

/// `count` numbers spread evenly over the first `among`, one by chance in each stretch.
pub(crate) fn spread(seed: u64, count: usize, among: usize) -> impl Iterator<Item = usize> {
    let stride = among / count;
    let mut dice = Dice::new(seed);
    (0..count).map(move |number| number * stride + dice.below(stride))
}

/// The numbers of the paths at `parts` of `count` directories, which are spread evenly over the first `among` paths.
pub(crate) fn in_directories(
    count: usize,
    among: usize,
    parts: Range<usize>,
) -> impl Iterator<Item = usize> + Clone {
    let all = among / PARTS_A_DAY;
    let directories = (0..count).map(move |number| (2 * number + 1) * all / (2 * count));
    directories.flat_map(move |directory| parts.clone().map(move |part| directory * PARTS_A_DAY + part))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn directory(path: &str) -> &str {
        path.rsplit_once('/').unwrap().0
    }

    #[test]
    fn paths_are_46_bytes_long_and_in_order() {
        let paths: Vec<_> = (0..30 * PARTS_A_DAY).map(path).collect();
        assert!(paths.iter().all(|path| path.len() == 46), "{}", paths[0]);
        assert!(paths.is_sorted_by(|one, next| one < next));
        let last = path(10_000_000 - 1);
        assert!(last.len() == 46 && last > paths[paths.len() - 1]);
    }

    #[test]
    fn a_directory_has_ten_thousand_paths() {
        let directories: Vec<_> =
            (0..3 * PARTS_A_DAY).map(|index| directory(&path(index)).to_owned()).collect();
        assert_eq!(directories.iter().collect::<BTreeSet<_>>().len(), 3);
        assert!(directories.chunks(PARTS_A_DAY).all(|chunk| chunk.iter().all(|name| *name == chunk[0])));
    }

    #[test]
    fn a_seed_gives_the_same_records_each_time_and_another_others() {
        let ten = |seed| records(seed, 10, Addresses::Batched).collect::<Vec<_>>();
        assert_eq!(ten(1), ten(1));
        assert_ne!(ten(1), ten(2));
        assert!(ten(1)[0].entry().unwrap().check("a").is_ok(), "the service would take the entry");
    }

    #[test]
    fn mixed_changes_are_in_order_and_of_each_kind() {
        let changes = mixed(3, spread(3, 100, 10_000));
        assert!(changes.is_sorted_by(|one, next| one.key < next.key));
        assert_eq!(changes.iter().filter(|change| change.value.is_none()).count(), 10);
        assert_eq!(changes.iter().filter(|change| change.key.ends_with(b".crc")).count(), 10);
    }

    #[test]
    fn rewritten_paths_are_those_of_the_lake_with_other_content() {
        let lake: Vec<_> = records(1, 20, Addresses::Batched).collect();
        let changes = rewritten(2, 5..10);
        for (change, record) in changes.iter().zip(&lake[5..10]) {
            assert_eq!(change.key, record.key);
            assert_ne!(change.value.as_ref().unwrap().identity(), record.identity());
        }
    }

    #[test]
    fn noise_is_as_long_as_it_should_be_and_the_same_each_time() {
        assert_eq!(noise(1, 13), noise(1, 13));
        assert_eq!((noise(1, 13).len(), noise(1, 0).len()), (13, 0));
        assert_ne!(noise(1, 16)[..8], noise(1, 16)[8..]);
    }

    #[test]
    fn directories_are_spread_and_distinct() {
        let among = 40 * PARTS_A_DAY;
        let indexes: Vec<_> = in_directories(20, among, 5..8).collect();
        assert!(indexes.len() == 60 && indexes.is_sorted_by(|one, next| one < next));
        assert_eq!(indexes[0] % PARTS_A_DAY, 5);
        let directories: BTreeSet<_> = indexes.iter().map(|index| index / PARTS_A_DAY).collect();
        assert_eq!(directories.len(), 20);
        assert!(directories.last().is_some_and(|last| *last < 40));
        assert_eq!(in_directories(1, PARTS_A_DAY, 0..PARTS_A_DAY).count(), PARTS_A_DAY);
    }
}
