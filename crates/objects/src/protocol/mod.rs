//! What endpoints that speak S3 share: the local store's own, and the gateway's.

mod checksum;
mod conditions;
mod front;
mod listing;
mod names;
mod operations;
mod pages;
mod parts;
mod ranges;
mod refusal;

pub use checksum::Expected;
pub use conditions::{ReadConditions, etag, header_condition, timestamp, write_condition};
pub use front::answer;
pub use listing::{Lines, listed_object};
pub use names::Names;
pub use pages::{from_token, page_limit, part_number};
pub use parts::{
    asked_parts, copied_output, copied_part_output, listed_part, listed_upload, part_marker, part_output,
    parts_output, put_output, uploads_output,
};
pub use ranges::{byte_range, content_range, copied_range};
pub use refusal::Addressing;

use pages::{max_keys, token};

pub use crate::local::Condition as WriteCondition;
