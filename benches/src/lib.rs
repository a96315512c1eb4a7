//! The project's benchmarks: each figure beside a floor that was measured in the same run.

mod data;
mod figures;
mod range;
mod service;
mod suite;
mod timing;
mod tree;

pub use suite::{UnknownSuite, run};
