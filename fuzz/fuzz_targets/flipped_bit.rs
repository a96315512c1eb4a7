//! Any table that a writer writes, with damage.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| braid_sstable::testing::any_flipped_bit(bytes));
