//! Object stores around others: one that takes its time, one that leaves what is below it as it is.

mod delayed;
mod overlay;

pub(crate) use delayed::Delayed;
pub(crate) use overlay::Overlay;
