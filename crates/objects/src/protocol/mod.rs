//! What endpoints that speak S3 share: the local store's own, and the gateway's.

mod checksum;
mod conditions;
mod names;
mod pages;
mod refusal;

pub use checksum::Expected;
pub use conditions::{ReadConditions, etag, header_condition, timestamp, write_condition};
pub use names::Names;
pub use pages::{from_token, max_keys, page_limit, part_number, token};
pub use refusal::{Addressing, refusal, refused};

pub use crate::local::Condition as WriteCondition;
