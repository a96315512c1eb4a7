//! Any bytes as a record's value.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| braid_tree::testing::any_value(bytes));
