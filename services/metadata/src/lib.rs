//! The metadata service: Braid's gRPC contract over the catalog.

mod address;
mod apply;
mod authentication;
mod clean_up;
mod convert;
mod deadline;
mod downloads;
mod flattening;
mod front;
mod intent;
mod metadata;
mod namespaces;
mod refs_dump;
mod serve;
mod service;
mod store_error;
mod stream;
mod uploads;

#[cfg(test)]
mod tests;

pub use metadata::{Metadata, Parts, Settings, TlsIdentity};
pub use serve::ServeError;
