//! Trees against plain maps.

mod check;
mod corruption;
mod cost;
mod cursor;
mod diff;
mod fold;
mod list;
mod merge;
mod pending;
mod reads;
mod referee;
mod support;
mod usage;
