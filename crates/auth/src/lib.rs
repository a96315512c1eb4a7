//! Access keys: who calls, with secrets sealed under a master key.

mod cache;
mod error;
mod keys;
mod master_key;
mod record;
mod seal;
mod secret;

pub use error::AuthError;
pub use keys::{Keys, NewKey, Principal, SigningKey};
pub use master_key::{InvalidMasterKey, MasterKey};
pub use secret::Secret;
