//! The range file: a reader and a writer of RocksDB block-based tables over bytes.
//!
//! A file is data blocks, an index of them, a block of properties, a block that finds the properties (the metaindex) and a
//! footer. Each block carries a checksum. Inside a block, keys are *internal keys*: the caller's key (the *user key*)
//! and an eight-byte trailer. An index entry's key, a *separator*, is not below any key of the block it points at and below
//! every key of the next block.

mod block;
mod block_builder;
mod block_cursor;
mod block_ends;
mod checksum;
mod cursor;
mod data_block;
mod error;
mod file_tail;
mod footer;
mod handle;
mod identhash;
mod index;
mod key;
mod metaindex;
mod open;
mod places;
mod properties;
mod record_cursor;
mod record_hash;
mod separators;
mod skip;
mod snappy_codec;
mod stored_block;
mod table;
mod table_index;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod varint;
mod verify;
mod writer;
mod zstd_codec;

#[cfg(test)]
mod tests;

pub use block_ends::BlockEnds;
pub use cursor::{Cursor, Record};
pub use data_block::{DataBlock, DataCursor};
pub use error::{Corruption, Defect, WriteError};
pub use footer::{FOOTER_LEN, Footer};
pub use handle::BlockHandle;
pub use record_hash::RecordHasher;
pub use skip::skip_equal_blocks;
pub use stored_block::{Compression, TRAILER_LEN, decode_block};
pub use table::Table;
pub use table_index::{TableIndex, Tail};
pub use verify::{verify, verify_all};
pub use writer::{Checkpoint, MAX_KEY_BYTES, MAX_PROPERTIES_BYTES, MAX_VALUE_BYTES, Writer, WriterOptions};
