//! Tables as a whole: what is written is read, and what is damaged is refused.

mod craft;
mod support;

mod by_block;
mod content_ends;
mod corruption;
mod damage;
mod fuzzed;
mod referee;
mod reuse;
mod round_trip;
mod skip;
mod verify;
mod writing;
