//! Any bytes as the last ones of a table's file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| braid_sstable::testing::any_tail(bytes));
