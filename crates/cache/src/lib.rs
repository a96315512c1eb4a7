//! The range cache: ranges and metaranges from an object store, verified and kept in memory.
