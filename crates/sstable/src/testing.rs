//! What must hold whatever bytes are read: for fuzzing, and for the tests that replay what it came upon.
//!
//! Each function takes any bytes and panics if reading them breaks a promise: nothing panics, reading block by block gives what
//! reading the whole file gives, records ascend, and damage is an error or harmless.

mod any_block;
mod any_file;
mod any_table;
mod repair;
mod replay;

pub use any_block::any_stored_block;
pub use any_file::{any_file, any_footer, any_tail};
pub use any_table::any_flipped_bit;
pub use replay::replay;
