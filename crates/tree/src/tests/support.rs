//! Maps that stand for trees, and strategies that make them.

use std::collections::BTreeMap;
use std::iter;
use std::sync::{Arc, LazyLock};

use braid_sstable::{BlockEnds, Compression, WriterOptions};
use braid_types::{AddressType, Entry, Time};
use bytes::Bytes;
use futures::executor::block_on;
use futures::stream;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::fold::fold_within;
use crate::limits::Limits;
use crate::metarange;
use crate::range_builder::RangeBuilder;
use crate::testing::{CountingRangeStore, MemoryRangeStore};
use crate::{
    Change, Conflicts, Cursor, Folded, Pool, RangeStore, Record, TreeCursor, TreeError, TreeFormat, TreeId,
    build, fold,
};

/// What a path maps to: content, and a place that is not part of its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) content: u8,
    pub(crate) place: u8,
}

/// A tree as a plain map.
pub(crate) type Model = BTreeMap<Bytes, Item>;

/// Changes as a plain map; `None` deletes.
pub(crate) type Edits = BTreeMap<Bytes, Option<Item>>;

pub(crate) fn record(key: &Bytes, item: Item) -> Record {
    let entry = Entry {
        address: format!("data/{}", item.place),
        address_type: AddressType::Relative,
        size: u64::from(item.content) * 1000 + 1,
        checksum: format!("{}", item.content),
        content_type: String::new(),
        metadata: BTreeMap::new(),
        mtime: Time::from_seconds(i64::from(item.place)),
    };
    Record::new(key.clone(), &entry)
}

pub(crate) fn records(model: &Model) -> Vec<Record> {
    model.iter().map(|(key, item)| record(key, *item)).collect()
}

pub(crate) fn changes(edits: &Edits) -> impl Iterator<Item = Change> {
    edits
        .iter()
        .map(|(key, item)| Change { key: key.clone(), value: item.map(|item| record(key, item).value) })
}

/// The map after the edits: the same content again keeps what is there.
pub(crate) fn applied(base: &Model, edits: &Edits) -> Model {
    let mut result = base.clone();
    for (key, item) in edits {
        match item {
            None => drop(result.remove(key)),
            Some(item) if base.get(key).is_some_and(|old| old.content == item.content) => {}
            Some(item) => drop(result.insert(key.clone(), *item)),
        }
    }
    result
}

/// A store in memory, seen through a counter.
pub(crate) struct Stored {
    pub(crate) memory: Arc<MemoryRangeStore>,
    pub(crate) counting: Arc<CountingRangeStore>,
    pub(crate) store: Arc<dyn RangeStore>,
}

impl Stored {
    pub(crate) fn new() -> Self {
        let memory = Arc::new(MemoryRangeStore::new());
        let counting = Arc::new(CountingRangeStore::new(Arc::clone(&memory) as Arc<dyn RangeStore>));
        Self { memory, store: Arc::clone(&counting) as Arc<dyn RangeStore>, counting }
    }

    pub(crate) fn build(&self, format: &TreeFormat, model: &Model) -> TreeId {
        self.build_records(format, records(model))
    }

    pub(crate) fn build_records(&self, format: &TreeFormat, records: Vec<Record>) -> TreeId {
        let records = stream::iter(records.into_iter().map(Ok));
        block_on(build(&self.store, &Pool::inline(), format, records)).unwrap().tree
    }

    pub(crate) fn conflicts(&self, base: TreeId, dest: TreeId, source: TreeId) -> Conflicts {
        Conflicts::new(Arc::clone(&self.store), &Pool::inline(), base, dest, source)
    }

    pub(crate) fn try_fold(
        &self,
        format: &TreeFormat,
        base: TreeId,
        edits: &Edits,
    ) -> Result<Folded, TreeError> {
        block_on(fold(&self.store, &Pool::inline(), format, base, stream::iter(changes(edits).map(Ok))))
    }

    pub(crate) fn fold_within(
        &self,
        limits: Limits,
        pool: &Pool,
        format: &TreeFormat,
        base: TreeId,
        edits: &Edits,
    ) -> Folded {
        let changes = stream::iter(changes(edits).map(Ok));
        block_on(fold_within(limits, &self.store, pool, format, base, changes)).unwrap()
    }

    pub(crate) fn fold(&self, format: &TreeFormat, base: TreeId, edits: &Edits) -> Folded {
        self.try_fold(format, base, edits).unwrap()
    }

    pub(crate) fn cursor(&self, tree: TreeId) -> TreeCursor {
        TreeCursor::new(Arc::clone(&self.store), tree)
    }

    pub(crate) fn try_scan(&self, tree: TreeId) -> Result<Vec<Record>, TreeError> {
        let mut cursor = self.cursor(tree);
        let mut found = Vec::new();
        while let Some(record) = block_on(cursor.next())? {
            found.push(record);
        }
        Ok(found)
    }

    pub(crate) fn scan(&self, tree: TreeId) -> Vec<Record> {
        self.try_scan(tree).unwrap()
    }
}

/// Takes everything that a `next` gives.
macro_rules! drain {
    ($from:expr) => {{
        let mut from = $from;
        let mut items = Vec::new();
        while let Some(item) = futures::executor::block_on(from.next()).unwrap() {
            items.push(item);
        }
        items
    }};
}
pub(crate) use drain;

/// The tree of these records, by the definition of where ranges end and nothing else.
pub(crate) fn defined_tree(format: &TreeFormat, records: &[Record]) -> TreeId {
    let (mut ranges, mut open) = (Vec::new(), None::<RangeBuilder>);
    for record in records {
        let range = open.get_or_insert_with(|| RangeBuilder::new(*format, &record.key));
        if range.add(&record.key, record.value.as_bytes()).unwrap() {
            ranges.extend(open.take());
        }
    }
    ranges.extend(open);
    let ranges: Vec<_> = ranges.into_iter().map(|range| range.finish().unwrap().0).collect();
    (!ranges.is_empty()).then(|| metarange::encode(&ranges, format.table).0)
}

/// What two trees that differ only in where their objects lie have in common.
pub(crate) fn contents(records: &[Record]) -> Vec<(&Bytes, &[u8])> {
    records.iter().map(|record| (&record.key, record.identity())).collect()
}

/// Pools of up to eight threads, and the one without.
pub(crate) fn pools() -> impl Strategy<Value = Pool> {
    static POOLS: LazyLock<Vec<Pool>> =
        LazyLock::new(|| iter::once(Pool::inline()).chain((1..=8).map(Pool::new)).collect());
    prop::sample::select(&POOLS[..])
}

/// Limits far too small for a pool to be of any use.
pub(crate) fn limits() -> impl Strategy<Value = Limits> {
    (1_usize..7, 1_u64..3000, 1_u64..9000).prop_map(|(units, first_bytes, most_bytes)| Limits {
        units,
        first_bytes,
        most_bytes,
    })
}

/// A format whose ranges hold a few records, each about 60 bytes long.
pub(crate) fn small_format() -> TreeFormat {
    TreeFormat {
        version: 1,
        min_bytes: 300,
        max_bytes: 3000,
        break_one_in: 8,
        table: WriterOptions { blocks: BlockEnds::Size(200), ..WriterOptions::default() },
    }
}

pub(crate) fn formats() -> impl Strategy<Value = TreeFormat> {
    let compression = vec![Compression::None, Compression::Snappy, Compression::Zstd { level: 1 }];
    let by_content = (0_usize..300, 0_usize..300, 1_u64..5)
        .prop_map(|(min, more, one_in)| BlockEnds::Content { min, max: min + more, one_in });
    let blocks = prop_oneof![(1_usize..500).prop_map(BlockEnds::Size), by_content];
    let table = (blocks, prop::sample::select(compression)).prop_map(|(blocks, compression)| WriterOptions {
        blocks,
        compression,
        ..WriterOptions::default()
    });
    (1_u64..1500, 0_u64..4000, 1_u64..64, table).prop_map(|(min_bytes, more, break_one_in, table)| {
        TreeFormat { version: 1, min_bytes, max_bytes: min_bytes + more, break_one_in, table }
    })
}

/// Keys that are often equal, or one the beginning of the other.
pub(crate) fn keys() -> impl Strategy<Value = Bytes> {
    let words = vec(prop::sample::select(b"ab/\xff".to_vec()), 1..6).prop_map(Bytes::from);
    let numbers = (0_u32..150).prop_map(|number| Bytes::from(format!("{number:03}")));
    prop_oneof![words, numbers]
}

pub(crate) fn items() -> impl Strategy<Value = Item> {
    (0_u8..3, 0_u8..3).prop_map(|(content, place)| Item { content, place })
}

pub(crate) fn models() -> impl Strategy<Value = Model> {
    prop_oneof![1 => btree_map(keys(), items(), 0..6), 4 => btree_map(keys(), items(), 0..130)]
}

pub(crate) fn edits() -> impl Strategy<Value = Edits> {
    let item = prop_oneof![2 => items().prop_map(Some), 1 => Just(None)];
    prop_oneof![3 => btree_map(keys(), item.clone(), 0..6), 1 => btree_map(keys(), item, 0..70)]
}

/// `count` paths `path/000000`, `path/000001` and so on.
pub(crate) fn numbered(count: u32) -> Model {
    (0..count).map(|number| (path(number), Item { content: 0, place: 0 })).collect()
}

pub(crate) fn path(number: u32) -> Bytes {
    format!("path/{number:06}").into()
}

/// A sequence of numbers without pattern, the same in each run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = xxhash_rust::xxh3::xxh3_64(&self.0.to_le_bytes());
        u32::try_from(mixed % u64::from(sides)).expect("a remainder is below its divisor")
    }
}
