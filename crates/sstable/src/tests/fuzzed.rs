//! What fuzzing kept: inputs that between them reach all that any input reached, and those that once broke a promise.

use std::path::Path;

use crate::testing;

fn replay(target: &str, check: fn(&[u8])) {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    testing::replay(Path::new(&package), target, check);
}

#[test]
fn any_file_is_read_or_refused() {
    replay("file", testing::any_file);
}

#[test]
fn any_tail_is_read_or_refused() {
    replay("tail", testing::any_tail);
}

#[test]
fn any_footer_is_read_or_refused() {
    replay("footer", testing::any_footer);
}

#[test]
fn any_stored_block_is_read_or_refused() {
    replay("stored_block", testing::any_stored_block);
}

#[test]
fn any_flipped_bit_is_noticed() {
    replay("flipped_bit", testing::any_flipped_bit);
}
