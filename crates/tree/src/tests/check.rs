//! Whatever is wrong with a stored file is told, with its place, and hides nothing else.

use std::sync::Arc;

use braid_sstable::Table;
use bytes::Bytes;
use futures::executor::block_on;

use super::support::*;
use crate::{
    Check, CheckEvent, CheckProgress, Fault, FileId, Pool, RangeDescriptor, RangeStore, Record, TreeError,
    TreeId, Value, build, metarange,
};

fn tree() -> (Stored, TreeId) {
    tree_of(400)
}

fn tree_of(count: u32) -> (Stored, TreeId) {
    let stored = Stored::new();
    let tree = stored.build(&small_format(), &numbered(count));
    (stored, tree)
}

fn ranges(stored: &Stored, tree: TreeId) -> Vec<RangeDescriptor> {
    block_on(stored.store.metarange(&tree.unwrap())).unwrap().ranges().to_vec()
}

fn try_check(stored: &Stored, tree: TreeId) -> (Vec<Fault>, CheckProgress) {
    let mut check = Check::new(Arc::clone(&stored.store), &Pool::inline(), tree);
    let (mut faults, mut last) = (Vec::new(), check.progress());
    while let Some(event) = block_on(check.next()).unwrap() {
        match event {
            CheckEvent::Fault(fault) => faults.push(fault),
            CheckEvent::Progress(progress) => {
                assert_eq!(progress.files, last.files + 1);
                last = progress;
            }
        }
    }
    assert_eq!((last.faults, check.progress()), (faults.len() as u64, last));
    assert_eq!(last.files, last.files_total);
    (faults, last)
}

fn faults(stored: &Stored, tree: TreeId) -> Vec<Fault> {
    try_check(stored, tree).0
}

fn stored_file(stored: &Stored, file: impl Into<FileId>) -> Vec<u8> {
    stored.memory.file(file).unwrap().to_vec()
}

/// Where the blocks of data stand in a file, with their trailers.
fn blocks(file: &[u8]) -> Vec<std::ops::Range<usize>> {
    let table = Table::open(Bytes::copy_from_slice(file)).unwrap();
    let spans = (0..table.index().blocks()).map(|block| table.index().span(block..block + 1));
    spans.map(|span| span.start as usize..span.end as usize).collect()
}

#[test]
fn a_sound_tree_has_no_faults_and_all_of_it_is_read_once() {
    let (stored, tree) = tree();
    let files = ranges(&stored, tree).len() as u64 + 1;
    stored.counting.take();
    let (faults, progress) = try_check(&stored, tree);
    assert_eq!(faults, []);
    assert_eq!((progress.files, progress.entries), (files, 400));
    let counts = stored.counting.take();
    assert_eq!((counts.files_read, counts.ranges_read, counts.metaranges_read), (files, 0, 0));
    assert_eq!(try_check(&stored, None), (Vec::new(), CheckProgress::default()));
}

#[test]
fn each_flipped_bit_is_told_with_its_file_and_nothing_else_is() {
    let (stored, tree) = tree_of(60);
    let range = ranges(&stored, tree)[1].clone();
    for file in [FileId::from(range.id), tree.unwrap().into()] {
        let original = stored_file(&stored, file);
        let blocks = blocks(&original);
        for bit in (0..original.len() * 8).step_by(11) {
            let mut flipped = original.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            stored.memory.set_file(file, flipped);
            let faults = faults(&stored, tree);
            assert!(!faults.is_empty(), "bit {bit} of {file}");
            assert!(faults.iter().all(|fault| fault.file == file), "bit {bit} of {file}: {faults:?}");
            if let Some(block) = blocks.iter().find(|block| block.contains(&(bit / 8))) {
                assert_eq!(faults[0].offset, Some(block.start as u64), "bit {bit} of {file}: {faults:?}");
            }
        }
        stored.memory.set_file(file, original);
    }
    assert_eq!(faults(&stored, tree), []);
}

#[test]
fn files_that_are_cut_short_or_missing_are_told_and_the_others_are_checked() {
    let (stored, tree) = tree();
    let ranges = ranges(&stored, tree);
    let whole = stored_file(&stored, ranges[0].id);
    stored.memory.set_file(ranges[0].id, whole[..whole.len() / 2].to_vec());
    stored.memory.set_file(ranges[2].id, Vec::new());
    stored.memory.remove_file(ranges[4].id);
    let (faults, progress) = try_check(&stored, tree);
    let files: Vec<_> = faults.iter().map(|fault| fault.file).collect();
    assert_eq!(files, [0, 2, 4].map(|index| FileId::from(ranges[index].id)));
    let lost: u64 = [0, 2, 4].map(|index| ranges[index].count).iter().sum();
    assert_eq!(progress.entries, 400 - lost);
}

#[test]
fn every_damaged_block_of_every_file_is_told() {
    let (stored, tree) = tree();
    let ranges = ranges(&stored, tree);
    let mut expected = Vec::new();
    for range in [&ranges[1], &ranges[5]] {
        let mut file = stored_file(&stored, range.id);
        for block in blocks(&file).into_iter().step_by(2) {
            file[block.start + 1] ^= 1;
            expected.push((FileId::from(range.id), Some(block.start as u64)));
        }
        stored.memory.set_file(range.id, file);
    }
    assert!(expected.len() > 3);
    let found: Vec<_> = faults(&stored, tree).into_iter().map(|fault| (fault.file, fault.offset)).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_ranges_in_sound_blocks_of_a_damaged_metarange_are_checked() {
    let (stored, tree) = tree();
    let ranges = ranges(&stored, tree);
    let metarange = FileId::from(tree.unwrap());
    let mut file = stored_file(&stored, metarange);
    let first = blocks(&file)[0].clone();
    file[first.start] ^= 1;
    stored.memory.set_file(metarange, file);
    stored.memory.remove_file(ranges.last().unwrap().id);
    let (faults, progress) = try_check(&stored, tree);
    let found: Vec<_> = faults.iter().map(|fault| (fault.file, fault.offset)).collect();
    assert_eq!(found, [(metarange, Some(0)), (ranges.last().unwrap().id.into(), None)]);
    assert!(progress.files_total > 2 && progress.files_total < ranges.len() as u64 + 1, "{progress:?}");
}

#[test]
fn blocks_in_each_others_place_are_told() {
    let (stored, tree) = tree();
    let swapped = ranges(&stored, tree).into_iter().find_map(|range| {
        let file = stored_file(&stored, range.id);
        let blocks = blocks(&file);
        let first = blocks.first()?.clone();
        let second = blocks[1..].iter().find(|block| block.len() == first.len())?.clone();
        Some((range, file, first, second))
    });
    let (range, mut file, first, second) = swapped.expect("two blocks of some range have one length");
    let (head, tail) = file.split_at_mut(second.start);
    head[first.clone()].swap_with_slice(&mut tail[..second.len()]);
    stored.memory.set_file(range.id, file);
    let found: Vec<_> = faults(&stored, tree).iter().map(|fault| fault.offset).collect();
    assert_eq!(found, [first, second].map(|block| Some(block.start as u64)));
}

#[test]
fn files_in_each_others_place_are_told() {
    let (stored, tree) = tree();
    let ranges = ranges(&stored, tree);
    let (first, second) = (stored_file(&stored, ranges[1].id), stored_file(&stored, ranges[2].id));
    stored.memory.set_file(ranges[1].id, second);
    stored.memory.set_file(ranges[2].id, first);
    let faults = faults(&stored, tree);
    for (index, other) in [(1, 2), (2, 1)] {
        let whats: Vec<_> = faults.iter().filter(|fault| fault.file == ranges[index].id.into()).collect();
        assert!(
            whats.iter().any(|fault| fault.what == format!("its records hash to '{}'", ranges[other].id))
        );
        assert!(whats.iter().any(|fault| fault.what.starts_with("its first key in the metarange")));
    }
    let metarange = stored_file(&stored, tree.unwrap());
    stored.memory.set_file(ranges[1].id, metarange);
    let kind =
        self::faults(&stored, tree).into_iter().find(|fault| fault.file == ranges[1].id.into()).unwrap();
    assert!(kind.what.contains("metaranges"), "{kind:?}");
}

#[test]
fn whatever_the_metarange_says_wrongly_is_told() {
    let (stored, tree) = tree();
    let sound = ranges(&stored, tree);
    type Lie = fn(&mut RangeDescriptor);
    let lies: [(&str, Lie); 6] = [
        ("first key", |range| range.min_key = "path/000000!".into()),
        ("last key", |range| range.max_key = [&range.max_key[..], b"!"].concat().into()),
        ("count", |range| range.count += 1),
        ("size", |range| range.size -= 1),
        ("data bytes", |range| range.data_bytes = range.data_bytes.map(|bytes| bytes + 1)),
        ("", |range| range.data_bytes = None),
    ];
    for (name, lie) in lies {
        let mut ranges = sound.clone();
        lie(&mut ranges[0]);
        let (id, file) = metarange::encode(&ranges, small_format().table);
        stored.memory.set_file(id, file);
        let whats: Vec<_> =
            faults(&stored, Some(id)).into_iter().map(|fault| (fault.file, fault.what)).collect();
        match name {
            "" => assert_eq!(whats, [], "lakeFS says nothing of it"),
            _ => {
                let [(file, what)] = &whats[..] else { panic!("{name}: {whats:?}") };
                assert_eq!(*file, ranges[0].id.into());
                assert!(what.starts_with(&format!("its {name} in the metarange")), "{what}");
            }
        }
    }
}

#[test]
fn ranges_that_overlap_are_told() {
    let (stored, tree) = tree();
    let mut ranges = ranges(&stored, tree);
    ranges[1].min_key = ranges[0].min_key.clone();
    let (id, file) = metarange::encode(&ranges, small_format().table);
    stored.memory.set_file(id, file);
    let faults = faults(&stored, Some(id));
    assert!(faults[0].file == id.into() && faults[0].what.contains("overlaps"), "{faults:?}");
}

#[test]
fn records_that_are_no_entries_are_told_with_their_blocks() {
    let stored = Stored::new();
    let mut records = records(&numbered(40));
    records[3] = Record { key: path(3), value: Value::framed(&[7; 32], b"data") };
    let records = futures::stream::iter(records.into_iter().map(Ok));
    let tree = block_on(build(&stored.store, &Pool::inline(), &small_format(), records)).unwrap().tree;
    let faults = faults(&stored, tree);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].offset.is_some() && faults[0].what.contains("path/000003"), "{faults:?}");
}

#[test]
fn a_store_that_fails_is_an_error_and_the_check_goes_on() {
    let (stored, tree) = tree();
    let store =
        Arc::new(Flaky { inner: Arc::clone(&stored.store), broken: ranges(&stored, tree)[2].id.into() });
    let mut check = Check::new(store, &Pool::new(2), tree);
    let mut errors = 0;
    loop {
        match block_on(check.next()) {
            Ok(None) => break,
            Ok(Some(event)) => assert!(matches!(event, CheckEvent::Progress(_)), "{event:?}"),
            Err(error) => {
                assert!(error.is_retryable());
                errors += 1;
            }
        }
    }
    let progress = check.progress();
    assert_eq!((errors, progress.files + 1), (1, progress.files_total));
}

/// A store that cannot read one file now.
struct Flaky {
    inner: Arc<dyn RangeStore>,
    broken: FileId,
}

#[async_trait::async_trait]
impl RangeStore for Flaky {
    async fn range(&self, id: &braid_types::RangeId) -> Result<Table, TreeError> {
        self.inner.range(id).await
    }

    async fn metarange(&self, id: &braid_types::MetarangeId) -> Result<Arc<crate::Metarange>, TreeError> {
        self.inner.metarange(id).await
    }

    async fn file(&self, file: FileId) -> Result<Bytes, TreeError> {
        if file == self.broken {
            let reason = "busy".to_owned();
            return Err(TreeError::Store { file, code: braid_types::Code::Unavailable, reason });
        }
        self.inner.file(file).await
    }

    async fn put_range(&self, id: &braid_types::RangeId, file: Bytes) -> Result<(), TreeError> {
        self.inner.put_range(id, file).await
    }

    async fn put_metarange(&self, id: &braid_types::MetarangeId, file: Bytes) -> Result<(), TreeError> {
        self.inner.put_metarange(id, file).await
    }
}

#[test]
fn only_wanted_ranges_are_read() {
    let (stored, tree) = tree();
    let all = ranges(&stored, tree);
    let mut asked = 0;
    let every_second = move |_: &RangeDescriptor| {
        asked += 1;
        asked % 2 == 0
    };
    let mut check = Check::new(Arc::clone(&stored.store), &Pool::inline(), tree).only(every_second);
    stored.counting.take();
    while block_on(check.next()).unwrap().is_some() {}
    let wanted = all.iter().skip(1).step_by(2);
    let expected = (1 + wanted.clone().count() as u64, wanted.map(|range| range.count).sum::<u64>());
    let progress = check.progress();
    assert_eq!((progress.files, progress.entries), expected);
    assert_eq!((stored.counting.take().files_read, progress.files_total), (expected.0, expected.0));
}
