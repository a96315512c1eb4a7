//! The service as callers see it: in this process, on a port of its own, over a store in memory.

mod access;
mod applying;
mod commit_sets;
mod concurrency;
mod foreign_links;
mod history;
mod imports;
mod lifecycle;
mod link_each;
mod main_path;
mod multipart;
mod namespaces;
mod over_disk;
mod pulls;
mod refs_dump;
mod refusals;
mod requests;
mod settings;
mod storage;
mod structure;
mod support;
mod uploads;
mod users;

pub(crate) use support::{Installation, metadata};
