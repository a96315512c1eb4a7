use super::support::{numbered, open, scan, write};
use crate::{WriterOptions, verify};

#[test]
fn a_table_of_one_block_and_of_many_reads_back() {
    for count in [0, 1, 2, 1000] {
        let records = numbered(count);
        let table = open(write(&records, WriterOptions::default())).unwrap();
        verify(&table).unwrap();
        assert_eq!(scan(&table).unwrap(), Vec::from_iter(records));
    }
}
