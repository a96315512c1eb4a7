//! S3, and whatever else speaks its protocol, through the SDK.

mod body;
mod bucket;
mod client;
mod conditional;
mod config;
mod encoding;
mod error;
mod gather;
mod transfers;

pub use bucket::S3Buckets;
pub use config::{S3Config, S3Credentials, S3Timeouts};

pub(crate) use client::{client, is_express};
pub(crate) use encoding::{decode_name, encode_name};
pub(crate) use error::request_error;
