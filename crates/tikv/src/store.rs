//! Calls to stores: one request to the peer that leads a region, and what follows when it cannot serve it.

mod calls;
mod reaction;
mod sender;

pub(crate) use sender::{Extras, Sender};
