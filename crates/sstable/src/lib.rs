//! The range file: a reader and a writer of RocksDB block-based tables over bytes.
