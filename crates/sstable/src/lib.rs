//! The range file: a reader and a writer of RocksDB block-based tables over bytes.

mod cursor;
mod error;
mod record_hash;
mod table;
mod verify;
mod writer;

pub use cursor::Cursor;
pub use error::{Corruption, Defect, WriteError};
pub use record_hash::RecordHasher;
pub use table::Table;
pub use verify::verify;
pub use writer::{Compression, Writer, WriterOptions};
