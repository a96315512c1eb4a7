//! Connections to PD and stores.

mod address;
mod channels;
mod tls;

pub(crate) use address::Address;
pub(crate) use channels::{Channels, Connection};
