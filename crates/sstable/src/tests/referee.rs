//! Files that other programs wrote. They are not kept here: `BRAID_REFEREE_DATA` names the folder that has them.

use std::path::PathBuf;

use bytes::Bytes;

use super::support::scan;
use crate::{Table, verify};

fn sample(name: &str) -> Bytes {
    let folder =
        std::env::var_os("BRAID_REFEREE_DATA").expect("BRAID_REFEREE_DATA names the folder of sample files");
    let path = PathBuf::from(folder).join("sst").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

#[test]
#[ignore = "needs the sample files and sst_dump: make test-referee"]
fn referee_tables_of_lakefs_read_completely() {
    for (name, count) in [("range", 2), ("metarange", 1), ("ok1", 105), ("56569996", 13868)] {
        let table = Table::open(sample(&format!("lakefs/{name}.sst"))).unwrap();
        verify(&table).unwrap();
        assert_eq!(scan(&table).unwrap().len(), count, "{name}");
    }
}
