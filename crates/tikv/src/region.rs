//! Regions: which part of the keys lies where, as far as is known.

mod cache;
mod directory;
mod epoch;

pub(crate) use cache::RegionMap;
pub(crate) use directory::Directory;
pub(crate) use epoch::{Epoch, Region};
