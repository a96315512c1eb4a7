//! The metadata service: Braid's gRPC contract over the catalog.

mod address;
mod announce;
mod apply;
mod authentication;
mod clean_up;
mod convert;
mod copies;
mod deadline;
mod downloads;
mod flattening;
mod foreign_links;
mod front;
mod imports;
mod in_process;
mod intent;
mod metadata;
mod multipart;
mod namespaces;
mod refs_dump;
mod serve;
mod service;
mod store_error;
mod stream;
mod uploads;

#[cfg(test)]
mod tests;

pub use braid_catalog::Settings as CatalogSettings;
pub use in_process::InProcess;
pub use metadata::{Metadata, Parts, Settings, TlsIdentity};
pub use serve::ServeError;
