//! Any bytes as a table's footer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| braid_sstable::testing::any_footer(bytes));
