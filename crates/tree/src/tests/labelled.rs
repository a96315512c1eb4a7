//! Trees of other things than entries.

use std::sync::Arc;

use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;
use futures::executor::block_on;

use super::support::small_format;
use crate::testing::MemoryRangeStore;
use crate::{
    FileId, LabelledReader, LabelledWriter, Labels, Metarange, Pool, RangeStore, Record, TreeError, Value,
    open_range,
};

const TAG: Labels = Labels {
    entity: "tag",
    schema_name: "io.treeverse.lakefs.graveler.TagData",
    schema_definition: r#"{"name":"TagData"}"#,
};

fn record(number: u32) -> Record {
    let value = Value::framed(format!("id {number}").as_bytes(), format!("data of {number}").as_bytes());
    Record { key: format!("{number:05}").into(), value }
}

async fn written(store: &Arc<MemoryRangeStore>, records: u32) -> MetarangeId {
    let mut writer = LabelledWriter::new(store.clone(), small_format(), TAG);
    for number in 0..records {
        writer.add(&record(number)).await.unwrap();
    }
    writer.finish().await.unwrap()
}

async fn read(store: &Arc<MemoryRangeStore>, id: MetarangeId) -> Result<Vec<Record>, TreeError> {
    let mut reader = LabelledReader::open(store.clone(), Pool::inline(), id, "tag").await?;
    let mut records = Vec::new();
    while let Some(found) = reader.next().await? {
        records.push(found.record);
    }
    assert_eq!(reader.count(), records.len() as u64);
    Ok(records)
}

fn ranges(store: &MemoryRangeStore, id: MetarangeId) -> Vec<RangeId> {
    let metarange = Metarange::decode(&id, store.file(id).unwrap()).unwrap();
    metarange.ranges().iter().map(|range| range.id).collect()
}

#[test]
fn records_come_back_in_order_from_any_number_of_ranges() {
    for count in [0, 1, 7, 2000] {
        let store = Arc::new(MemoryRangeStore::new());
        let id = block_on(written(&store, count));
        let expected: Vec<Record> = (0..count).map(record).collect();
        assert_eq!(block_on(read(&store, id)).unwrap(), expected);
        assert_eq!(ranges(&store, id).is_empty(), count == 0);
        assert!(count < 2000 || ranges(&store, id).len() > 2);
    }
}

#[test]
fn files_carry_their_labels_which_are_part_of_their_ids() {
    let store = Arc::new(MemoryRangeStore::new());
    let id = block_on(written(&store, 3));
    let range = ranges(&store, id)[0];
    let table = open_range(&range, store.file(range).unwrap()).unwrap();
    let property = |name: &str| String::from_utf8(table.properties()[name].clone()).unwrap();
    assert_eq!(
        ["type", "entity", "schema_name", "schema_definition", "min_key", "max_key", "count"].map(property),
        ["ranges", "tag", TAG.schema_name, TAG.schema_definition, "00000", "00002", "3"]
    );
    let mut other = LabelledWriter::new(store.clone(), small_format(), Labels { entity: "branch", ..TAG });
    (0..3).for_each(|number| block_on(other.add(&record(number))).unwrap());
    let other = block_on(other.finish()).unwrap();
    assert_ne!(other, id);
    assert_ne!(ranges(&store, other), [range]);
    let error = block_on(read(&store, other)).unwrap_err();
    assert!(error.to_string().contains("its records are 'branch', not 'tag'"), "{error}");
}

#[test]
fn descriptors_say_no_more_than_those_of_lakefs() {
    let store = Arc::new(MemoryRangeStore::new());
    let id = block_on(written(&store, 3));
    let metarange = block_on(store.metarange(&id)).unwrap();
    assert_eq!(metarange.ranges()[0].data_bytes, None);
}

#[test]
fn an_unlabelled_tree_is_none_of_these() {
    let store = Arc::new(MemoryRangeStore::new());
    let (id, file) = crate::metarange::encode_labelled(&[], &[].into(), small_format().table);
    store.set_file(id, file);
    let error = block_on(read(&store, id)).unwrap_err();
    assert!(error.to_string().contains("does not say that its records are 'tag'"), "{error}");
}

#[test]
fn records_out_of_order_are_refused_across_ranges() {
    let store = Arc::new(MemoryRangeStore::new());
    let mut writer = LabelledWriter::new(store, small_format(), TAG);
    // Some of these ends a range.
    for number in 1..100 {
        block_on(writer.add(&record(number))).unwrap();
        for again in [number, number - 1] {
            let error = block_on(writer.add(&record(again))).unwrap_err();
            assert!(matches!(error, TreeError::Unordered { .. }), "{error}");
        }
    }
}

#[test]
fn a_flip_or_a_cut_anywhere_is_refused_with_the_name_of_the_file() {
    let store = Arc::new(MemoryRangeStore::new());
    let id = block_on(written(&store, 40));
    let mut files = vec![FileId::from(id)];
    files.extend(ranges(&store, id).into_iter().map(FileId::from));
    for file in files {
        let sound = store.file(file).unwrap();
        for at in 0..sound.len() {
            let mut flipped = sound.to_vec();
            flipped[at] ^= 1;
            store.set_file(file, flipped);
            if let Err(error) = block_on(read(&store, id)) {
                assert!(error.to_string().contains(&file.to_hex()), "{error}");
            } else {
                // Parts of a table that say nothing of records: its footer's padding, properties of its layout.
                assert!(at > sound.len() / 4, "byte {at} of {} goes unseen", sound.len());
            }
            store.set_file(file, sound.slice(..at));
            let error = block_on(read(&store, id)).unwrap_err();
            assert!(error.to_string().contains(&file.to_hex()), "{error}");
        }
        store.set_file(file, sound);
    }
}

#[test]
fn a_sound_file_under_another_s_name_is_refused() {
    let store = Arc::new(MemoryRangeStore::new());
    let id = block_on(written(&store, 1));
    let range = ranges(&store, id)[0];
    let other = Value::framed(b"id 0", b"data of x");
    let mut writer = LabelledWriter::new(store.clone(), small_format(), TAG);
    block_on(writer.add(&Record { key: Bytes::from("00000"), value: other })).unwrap();
    let other = ranges(&store, block_on(writer.finish()).unwrap())[0];
    store.set_file(range, store.file(other).unwrap());
    let error = block_on(read(&store, id)).unwrap_err();
    assert!(error.to_string().contains(&format!("its records hash to '{other}'")), "{error}");
    store.remove_file(range);
    assert_eq!(block_on(read(&store, id)).unwrap_err(), TreeError::Missing { file: range.into() });
}
