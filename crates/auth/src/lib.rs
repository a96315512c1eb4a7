//! Users and their access keys: who calls, with secrets sealed under a master key; and sessions of those who logged in.

mod cache;
mod change;
mod error;
mod keys;
mod master_key;
mod record;
mod seal;
mod secret;
mod session;
mod users;

pub use error::AuthError;
pub use keys::{Keys, NewKey, Principal, SigningKey};
pub use master_key::{InvalidMasterKey, MasterKey};
pub use secret::Secret;
pub use session::{Session, Sessions};
pub use users::{KeyInfo, MOST_LISTED, Part, Span, User};
