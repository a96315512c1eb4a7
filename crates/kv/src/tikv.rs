//! The store in a TiKV cluster.

mod uri;

pub use uri::{InvalidTikvUri, TikvTls, TikvUri};
