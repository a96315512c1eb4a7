//! Connections to PD and stores.

mod address;
mod channels;
#[cfg(any(test, feature = "testing"))]
mod dial;
mod reason;
mod tls;

pub(crate) use address::Address;
pub(crate) use channels::{Channels, Connection};
#[cfg(any(test, feature = "testing"))]
pub(crate) use dial::{Dial, Dialer};
pub(crate) use reason::reason;
