//! What the client promises, against a cluster that speaks the protocol and can be broken.

mod bank;
mod commits;
mod events;
mod garbage;
mod justified;
mod keyspaces;
mod locks;
mod lookup_moments;
mod lookups;
mod lost;
mod meters;
mod pessimistic;
mod primaries;
mod region_errors;
mod round_trips;
mod scans;
mod snapshots;
mod steps;
mod stores;
mod support;
mod timestamps;
mod tls;
mod truth;
mod write_skew;
