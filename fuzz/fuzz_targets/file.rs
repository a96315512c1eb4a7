//! Any bytes as a table's file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| braid_sstable::testing::any_file(bytes));
