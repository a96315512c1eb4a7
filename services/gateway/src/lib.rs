//! The gateway: the protocols that existing clients speak, over the same services as gRPC.
//!
//! It keeps nothing itself. What it does, it does by a [`Client`](braid_client::Client) of the services in this process,
//! for a user whom it has authenticated; data it moves between its callers and the object store, piece by piece.

mod data;
mod gateway;
mod rest;
mod s3;
mod stored;

pub use gateway::{Gateway, Parts, Settings};
pub use s3::S3Gateway;
