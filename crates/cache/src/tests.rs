//! Trees in an object store, read through memory.

mod blocks;
mod files;
mod support;
