//! Trees that lakeFS wrote.

use std::path::PathBuf;

use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;
use futures::executor::block_on;

use super::support::*;
use crate::{Metarange, open_range, verify_range};

const RANGE: &str = "a83af763ba098c15369d9d6d723731eb9ce18b8dfac4f88c6f1287e772393d0e";

fn sample(name: &str) -> Bytes {
    let folder =
        std::env::var("BRAID_REFEREE_DATA").expect("BRAID_REFEREE_DATA is set to the samples' folder");
    let path = PathBuf::from(folder).join("sst/lakefs").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

/// The samples are not named by their ids; the refusal of a wrong name says the right one.
fn metarange_id(file: &Bytes) -> MetarangeId {
    let error = Metarange::decode(&MetarangeId::from_bytes([0; 32]), file.clone()).unwrap_err();
    error.to_string().rsplit('\'').nth(1).unwrap().parse().unwrap()
}

#[test]
#[ignore = "needs the sample files: make test-referee"]
fn referee_the_sample_tree_of_lakefs_opens_and_takes_changes() {
    let stored = Stored::new();
    let (metarange, range): (_, RangeId) = (sample("metarange.sst"), RANGE.parse().unwrap());
    let id = metarange_id(&metarange);
    stored.memory.set_file(id, metarange);
    stored.memory.set_file(range, sample("range.sst"));
    verify_range(&range, &block_on(stored.store.range(&range)).unwrap()).unwrap();

    let found = stored.scan(Some(id));
    let keys: Vec<_> = found.iter().map(|record| record.key.clone()).collect();
    assert_eq!(keys, ["a/b/c/no", "a/b/c/yes"]);
    for record in &found {
        let entry = record.entry().unwrap();
        assert_eq!(record.identity(), entry.identity(), "{entry:?}");
    }

    let edits = Edits::from([("a/b/c/zzz".into(), Some(Item { content: 1, place: 1 }))]);
    let folded = stored.fold(&small_format(), Some(id), &edits);
    assert_eq!(folded.summary.added, 1);
    assert_eq!(stored.scan(folded.tree)[..2], found);
}

#[test]
#[ignore = "needs the sample files: make test-referee"]
fn referee_larger_samples_of_lakefs_have_well_framed_records() {
    for (name, count) in [("ok1.sst", 105), ("56569996.sst", 13_868)] {
        let table = open_range(&RANGE.parse().unwrap(), sample(name)).unwrap();
        let mut cursor = table.cursor();
        let mut found = 0;
        while let Some((key, value)) = cursor.next().unwrap() {
            let key = Bytes::copy_from_slice(key);
            let record = crate::Record::from_stored(key, Bytes::copy_from_slice(value)).unwrap();
            assert_eq!(record.identity().len(), 32);
            record.entry().unwrap();
            found += 1;
        }
        assert_eq!(found, count, "{name}");
    }
}
