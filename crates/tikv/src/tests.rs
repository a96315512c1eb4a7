//! What the client promises, against a cluster that speaks the protocol and can be broken.

mod bank;
mod commits;
mod garbage;
mod keyspaces;
mod locks;
mod lookups;
mod lost;
mod meters;
mod pessimistic;
mod region_errors;
mod scans;
mod snapshots;
mod stores;
mod support;
mod timestamps;
mod tls;
