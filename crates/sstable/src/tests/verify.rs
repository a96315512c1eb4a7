//! All that is wrong with a file is told, and nothing else.

use super::support::{numbered, open, write};
use crate::{
    BlockEnds, BlockHandle, Compression, Corruption, Defect, TRAILER_LEN, WriterOptions, verify, verify_all,
};

fn file() -> Vec<u8> {
    let options =
        WriterOptions { blocks: BlockEnds::Size(90), restart_interval: 2, compression: Compression::None };
    write(&numbered(40), options)
}

/// The data blocks.
fn handles(file: &[u8]) -> Vec<BlockHandle> {
    let table = open(file.to_vec()).unwrap();
    (0..table.index().blocks()).map(|block| table.index().handle(block)).collect()
}

/// What is wrong with a file, and how many records could be read.
fn found(file: Vec<u8>) -> (Vec<Corruption>, usize) {
    let (mut corruptions, mut records) = (Vec::new(), 0);
    let table = open(file).unwrap();
    verify_all(&table, |_, _, _| records += 1, |corruption| corruptions.push(corruption));
    assert_eq!(verify(&table).err(), corruptions.first().cloned());
    (corruptions, records)
}

fn swap(file: &mut [u8], first: BlockHandle, second: BlockHandle) {
    assert_eq!(first.size, second.size, "blocks of one length can be swapped");
    let len = first.size as usize + TRAILER_LEN;
    let (head, tail) = file.split_at_mut(second.offset as usize);
    head[first.offset as usize..][..len].swap_with_slice(&mut tail[..len]);
}

#[test]
fn a_sound_file_gives_all_its_records() {
    assert_eq!(found(file()), (Vec::new(), 40));
}

#[test]
fn records_come_in_order_with_the_places_of_their_blocks() {
    let table = open(file()).unwrap();
    let mut met = Vec::new();
    verify_all(
        &table,
        |at, key, value| met.push((at, key.to_vec(), value.to_vec())),
        |found| panic!("{found}"),
    );
    let records: Vec<_> = numbered(40).into_iter().collect();
    assert_eq!(met.iter().map(|(_, key, value)| (key.clone(), value.clone())).collect::<Vec<_>>(), records);
    let blocks: std::collections::BTreeSet<_> = met.iter().map(|(at, ..)| *at).collect();
    assert_eq!(
        Vec::from_iter(blocks),
        handles(&file()).iter().map(|handle| handle.offset).collect::<Vec<_>>()
    );
}

#[test]
fn each_damaged_block_is_told_and_the_others_are_read() {
    let mut file = file();
    let handles = handles(&file);
    let damaged = [handles[0], handles[3], *handles.last().unwrap()];
    damaged.iter().for_each(|handle| file[handle.offset as usize + 1] ^= 4);
    let (corruptions, records) = found(file);
    let offsets: Vec<_> = corruptions.iter().map(|corruption| corruption.offset).collect();
    assert_eq!(offsets, damaged.map(|handle| handle.offset));
    assert!(corruptions.iter().all(|corruption| matches!(corruption.what, Defect::Checksum { .. })));
    assert!((25..40).contains(&records), "{records}");
}

#[test]
fn blocks_in_each_others_place_are_told_alone() {
    let mut file = file();
    let handles = handles(&file);
    let (first, second) = (0..handles.len())
        .flat_map(|first| (first + 2..handles.len()).map(move |second| (first, second)))
        .map(|(first, second)| (handles[first], handles[second]))
        .find(|(first, second)| first.size == second.size)
        .unwrap();
    swap(&mut file, first, second);
    let (corruptions, _) = found(file);
    let expected = [first, second].map(|handle| Corruption::new(handle.offset, Defect::SeparatorBounds));
    assert_eq!(corruptions, expected);
}
