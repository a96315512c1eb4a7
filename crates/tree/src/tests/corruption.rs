//! Damaged files are refused by name and never served.

use braid_sstable::Writer;
use braid_types::RangeId;
use bytes::Bytes;
use futures::executor::block_on;
use proptest::prelude::*;

use super::support::*;
use crate::range_file::user_properties;
use crate::{
    Cursor, FileId, Metarange, RangeDescriptor, RangeStore, Record, TreeError, TreeId, Value, lookup,
    metarange, verify_range,
};

fn tree() -> (Stored, TreeId, Vec<Record>) {
    let (stored, model) = (Stored::new(), numbered(60));
    let tree = stored.build(&small_format(), &model);
    (stored, tree, records(&model))
}

fn metarange_file(tree: TreeId) -> FileId {
    tree.unwrap().into()
}

fn first_range(stored: &Stored, tree: TreeId) -> FileId {
    block_on(stored.memory.metarange(&tree.unwrap())).unwrap().ranges()[0].id.into()
}

/// A scan of the tree gives the right records, or names the damaged file.
fn check(stored: &Stored, tree: TreeId, wanted: &[Record], damaged: FileId) -> bool {
    match stored.try_scan(tree) {
        Ok(found) => {
            assert_eq!(found, wanted);
            false
        }
        Err(error) => {
            assert!(matches!(error, TreeError::Corrupt { file, .. } if file == damaged), "{error}");
            true
        }
    }
}

/// Damages one file of the tree in many ways; says how many of them a scan met.
fn damage(file_of: impl Fn(&Stored, TreeId) -> FileId) -> (usize, usize) {
    let (stored, tree, wanted) = tree();
    let file = file_of(&stored, tree);
    let original = stored.memory.file(file).unwrap();
    let (mut tried, mut refused) = (0, 0);
    for bit in (0..original.len() * 8).step_by(7) {
        let mut flipped = original.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        stored.memory.set_file(file, flipped);
        tried += 1;
        refused += usize::from(check(&stored, tree, &wanted, file));
    }
    for len in (0..original.len()).step_by(11) {
        stored.memory.set_file(file, original.slice(..len));
        assert!(check(&stored, tree, &wanted, file), "cut after {len} bytes");
    }
    (tried, refused)
}

#[test]
fn a_damaged_range_is_refused_by_name() {
    let (tried, refused) = damage(first_range);
    assert!(refused * 10 > tried * 9, "{refused} of {tried} flipped bits were met");
}

#[test]
fn a_damaged_metarange_is_refused_by_name() {
    let (tried, refused) = damage(|_, tree| metarange_file(tree));
    assert!(refused * 10 > tried * 9, "{refused} of {tried} flipped bits were met");
}

#[test]
fn a_missing_file_is_named() {
    for file_of in [first_range, |_: &Stored, tree| metarange_file(tree)] {
        let (stored, tree, _) = tree();
        let file = file_of(&stored, tree);
        stored.memory.remove_file(file);
        assert_eq!(stored.try_scan(tree), Err(TreeError::Missing { file }));
        let found = block_on(lookup(&*stored.store, tree, &path(0)));
        assert_eq!(found, Err(TreeError::Missing { file }));
    }
}

#[test]
fn another_range_under_the_name_of_one_is_refused() {
    let (stored, tree, _) = tree();
    let metarange = block_on(stored.memory.metarange(&tree.unwrap())).unwrap();
    let [first, second] = [0, 1].map(|index| metarange.ranges()[index].clone());
    stored.memory.set_file(first.id, stored.memory.file(second.id).unwrap());
    assert!(matches!(stored.try_scan(tree), Err(TreeError::Corrupt { file, .. }) if file == first.id.into()));
    let found = block_on(lookup(&*stored.store, tree, &path(0)));
    assert!(matches!(found, Err(TreeError::Corrupt { file, .. }) if file == first.id.into()));
    let edits = Edits::from([(path(0), None)]);
    let folded = stored.try_fold(&small_format(), tree, &edits);
    assert!(matches!(folded, Err(TreeError::Corrupt { file, .. }) if file == first.id.into()));

    let table = block_on(stored.memory.range(&first.id)).unwrap();
    assert!(matches!(verify_range(&first.id, &table), Err(TreeError::Corrupt { .. })));
    assert_eq!(verify_range(&second.id, &table), Ok(()));
}

#[test]
fn another_metarange_under_the_name_of_one_is_refused() {
    let (stored, tree, _) = tree();
    let other = stored.build(&small_format(), &numbered(61));
    stored.memory.set_file(metarange_file(tree), stored.memory.file(metarange_file(other)).unwrap());
    let error = stored.try_scan(tree).unwrap_err();
    assert!(matches!(error, TreeError::Corrupt { file, .. } if file == metarange_file(tree)), "{error}");
}

#[test]
fn ranges_and_metaranges_are_not_taken_for_each_other() {
    let (stored, tree, _) = tree();
    let (range, metarange) = (first_range(&stored, tree), metarange_file(tree));
    let (range_bytes, metarange_bytes) =
        (stored.memory.file(range).unwrap(), stored.memory.file(metarange).unwrap());
    let (FileId::Range(id), FileId::Metarange(_)) = (range, metarange) else { unreachable!() };
    assert!(is_corrupt(&crate::open_range(&id, metarange_bytes.clone()), range));
    stored.memory.set_file(range, metarange_bytes);
    assert!(check(&stored, tree, &[], range));
    stored.memory.set_file(metarange, range_bytes);
    assert!(check(&stored, tree, &[], metarange));
}

/// A tree of one range, whose file is written by hand and may lie about itself.
fn crafted(value: &[u8], max_key: &str) -> (Stored, TreeId, FileId) {
    let (stored, format) = (Stored::new(), small_format());
    let range = RangeDescriptor {
        min_key: "a".into(),
        max_key: max_key.to_owned().into(),
        id: RangeId::from_bytes([1; 32]),
        size: 1,
        count: 1,
        data_bytes: None,
    };
    let mut writer = Writer::new(format.table);
    writer.add(b"a", value).unwrap();
    let properties = user_properties("ranges", b"a", max_key.as_bytes(), 1, 1);
    stored.memory.set_file(range.id, writer.finish(&properties).unwrap());
    let (id, file) = metarange::encode(std::slice::from_ref(&range), format.table);
    stored.memory.set_file(id, file);
    (stored, Some(id), range.id.into())
}

fn is_corrupt<T>(result: &Result<T, TreeError>, damaged: FileId) -> bool {
    matches!(result, Err(TreeError::Corrupt { file, .. }) if *file == damaged)
}

#[test]
fn a_range_that_ends_before_its_greatest_key_is_refused() {
    let (stored, tree, range) = crafted(Value::framed(b"i", b"d").as_bytes(), "z");
    let mut cursor = stored.cursor(tree);
    block_on(cursor.seek(b"b")).unwrap();
    assert!(is_corrupt(&block_on(cursor.next()), range));
}

#[test]
fn a_value_without_framing_is_refused() {
    let (stored, tree, range) = crafted(b"\x40short", "a");
    assert!(is_corrupt(&stored.try_scan(tree), range));
    assert!(is_corrupt(&block_on(lookup(&*stored.store, tree, b"a")), range));
    let edits = Edits::from([(Bytes::from_static(b"a"), Some(Item { content: 0, place: 0 }))]);
    assert!(is_corrupt(&stored.try_fold(&small_format(), tree, &edits), range));
}

#[test]
fn a_range_of_another_count_than_described_is_refused() {
    let (stored, tree, range) = crafted(Value::framed(b"i", b"d").as_bytes(), "a");
    let mut described = block_on(stored.memory.metarange(&tree.unwrap())).unwrap().ranges()[0].clone();
    for (min_key, max_key, count) in [("a", "a", 2), ("a", "b", 1), ("0", "a", 1)] {
        described.min_key = min_key.into();
        described.max_key = max_key.into();
        described.count = count;
        let (id, file) = metarange::encode(std::slice::from_ref(&described), small_format().table);
        stored.memory.set_file(id, file);
        assert!(is_corrupt(&stored.try_scan(Some(id)), range), "{described:?}");
    }
}

#[test]
fn a_cursor_that_met_damage_gives_nothing_more() {
    let (stored, tree, wanted) = tree();
    let file = first_range(&stored, tree);
    let mut bytes = stored.memory.file(file).unwrap().to_vec();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 1;
    stored.memory.set_file(file, bytes);
    let mut cursor = stored.cursor(tree);
    let mut found = Vec::new();
    let error = loop {
        match block_on(cursor.next()) {
            Ok(record) => found.push(record.expect("the damage comes before the end")),
            Err(error) => break error,
        }
    };
    assert_eq!(found, wanted[..found.len()]);
    assert_eq!(block_on(cursor.next()), Err(error));
}

proptest! {
    #[test]
    fn any_bytes_at_all_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (stored, tree, _) = tree();
        let id = tree.unwrap();
        prop_assert!(Metarange::decode(&id, Bytes::from(bytes.clone())).is_err());
        let FileId::Range(range) = first_range(&stored, tree) else { unreachable!() };
        prop_assert!(crate::open_range(&range, bytes.into()).is_err());
    }
}
