//! Any records as those of a metarange.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| braid_tree::testing::any_metarange(bytes));
