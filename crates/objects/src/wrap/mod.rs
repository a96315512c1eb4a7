//! Stores over stores: one concern each.

mod counted;
mod faulty;
mod prefixed;

pub use counted::{Counted, Counters, Counts};
pub use faulty::{Failure, Faulty, Operation};
pub use prefixed::Prefixed;
