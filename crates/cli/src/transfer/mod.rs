//! Folders between this machine and a repository: what may be written where, what is there to be read, and the moving.

mod fetch;
mod meter;
mod names;
mod report;
mod send;
mod target;
mod trouble;
mod walk;

pub(crate) use fetch::{Fetching, fetch_all, fetch_one};
pub(crate) use meter::Meter;
pub(crate) use names::LocalName;
pub(crate) use report::{Outcome, Tally};
pub(crate) use send::{Sending, send_all, send_one};
pub(crate) use target::Target;
pub(crate) use trouble::Trouble;
pub(crate) use walk::{LocalFile, open};
