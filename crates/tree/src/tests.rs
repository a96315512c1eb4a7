//! Trees against plain maps.

mod check;
mod corruption;
mod cost;
mod cursor;
mod diff;
mod directory_diff;
mod fold;
mod history;
mod labelled;
mod list;
mod merge;
mod pending;
mod plan;
mod reads;
mod referee;
mod support;
mod usage;
