//! Tables as a whole: what is written is read, and what is damaged is refused.

mod support;

mod referee;
mod round_trip;
