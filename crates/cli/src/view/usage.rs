//! How much is stored.

use std::fmt;

use braid_client::PrefixUsage;
use serde::Serialize;

use crate::text::{Count, Plain, Size};

/// How much there is under a prefix.
#[derive(Serialize)]
pub(crate) struct UsageLine {
    prefix: String,
    objects: u64,
    bytes: u64,
    /// What is shown instead of the prefix.
    #[serde(skip)]
    address: String,
    /// Show the size as a plain number.
    #[serde(skip)]
    in_bytes: bool,
}

impl UsageLine {
    pub(crate) fn new(of: &PrefixUsage, address: String, in_bytes: bool) -> Self {
        let (objects, bytes) = (of.usage.objects, of.usage.bytes);
        Self { prefix: of.prefix.as_str().to_owned(), objects, bytes, address, in_bytes }
    }
}

impl fmt::Display for UsageLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = if self.in_bytes { self.bytes.to_string() } else { Size(self.bytes).to_string() };
        let objects = Count(self.objects, "object").to_string();
        write!(f, "{size:>12}  {objects:>16}  {}", Plain(&self.address))
    }
}
