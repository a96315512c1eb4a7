//! The commands, one file each: their arguments, and what they do.

pub(crate) mod apply;
mod apply_lines;
pub(crate) mod branch;
pub(crate) mod cat;
pub(crate) mod cherry_pick;
pub(crate) mod commit;
pub(crate) mod completion;
pub(crate) mod diff;
pub(crate) mod du;
pub(crate) mod dump;
pub(crate) mod fsck;
pub(crate) mod get;
pub(crate) mod info;
pub(crate) mod log;
pub(crate) mod ls;
pub(crate) mod merge;
pub(crate) mod merge_base;
pub(crate) mod put;
pub(crate) mod repo;
pub(crate) mod restore;
pub(crate) mod revert;
pub(crate) mod rm;
pub(crate) mod show;
pub(crate) mod stat;
pub(crate) mod tag;
pub(crate) mod user;
pub(crate) mod whoami;
