//! The project's benchmarks: each figure beside a floor that was measured in the same run.

mod data;
mod figures;
mod floor;
mod machine;
mod range;
#[cfg(feature = "service")]
mod service;
#[cfg(not(feature = "service"))]
#[path = "no_service.rs"]
mod service;
mod store;
mod suite;
mod tikv;
mod timing;
mod tree;

pub use suite::{UnknownSuite, run};
