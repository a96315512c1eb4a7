//! Trees against plain maps.

mod corruption;
mod cost;
mod cursor;
mod diff;
mod fold;
mod list;
mod merge;
mod pending;
mod referee;
mod support;
