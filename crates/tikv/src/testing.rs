//! A TiKV cluster in memory, answering on loopback: for tests.
//!
//! [`TestCluster`] starts PD and stores that speak the protocol of `proto/`. A cluster shares one engine (`mvcc`, which
//! decides what a store does with keys) and one map (`regions`); a store serves the regions that it leads. What goes
//! wrong is data: a [`Filter`] chooses calls, an [`Effect`] is done to them, a [`Stop`] holds them at a named place; the
//! handle moves leaders, splits regions, takes servers down. Time passes with the runtime's clock, and by
//! [`TestCluster::advance`].

#[cfg(any(test, feature = "testing-tls"))]
mod authority;
mod call;
mod clock;
mod cluster;
mod convert;
mod deadlock;
mod fault;
mod faults;
mod journal;
mod line;
mod mvcc;
mod options;
mod pd_service;
mod region_error;
mod regions;
mod server;
mod shared;
mod state;
mod stop;
mod store_call;
mod store_service;
#[cfg(test)]
pub(crate) mod tests;
mod tso;
mod wires;

#[cfg(any(test, feature = "testing-tls"))]
pub use authority::{Authority, Certified};
pub use call::{Call, Counts};
pub use cluster::{HeldLock, Record, RegionView, TestCluster};
pub use fault::{Effect, Filter, RegionFault};
pub use faults::Fault;
pub use journal::{EndingCall, Role, Said};
pub use options::{Options, TlsIdentity};
pub use stop::{Held, Stop, When};
pub use wires::Lifeline;

pub(crate) use line::Line;
