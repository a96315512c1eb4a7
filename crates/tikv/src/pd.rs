//! PD: who leads it, and what it is asked: timestamps, regions, stores, safe points, keyspaces.

mod calls;
mod members;
mod timestamps;

pub(crate) use calls::Pd;
