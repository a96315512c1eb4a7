//! A transaction client of our own for TiKV, and a protocol server to test it with.

mod memcomparable;
mod proto;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
