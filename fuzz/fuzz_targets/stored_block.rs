//! Any bytes as a stored block.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| braid_sstable::testing::any_stored_block(bytes));
