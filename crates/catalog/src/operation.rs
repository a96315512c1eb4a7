//! The operations of the catalog, one file each.

pub(crate) mod apply;
pub(crate) mod branches;
pub(crate) mod clean_up;
pub(crate) mod commit;
pub(crate) mod diff;
pub(crate) mod differences;
pub(crate) mod du;
pub(crate) mod dump;
mod fold;
pub(crate) mod fsck;
pub(crate) mod list_objects;
pub(crate) mod log;
pub(crate) mod merge;
mod merge_base;
pub(crate) mod pick;
pub(crate) mod publish;
pub(crate) mod repositories;
pub(crate) mod reset;
pub(crate) mod restore;
mod seal;
mod settings;
pub(crate) mod stage;
mod staged_diff;
mod stat;
pub(crate) mod tags;
mod turn;
pub(crate) mod uploads;
