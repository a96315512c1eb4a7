//! Objects.

use std::collections::BTreeMap;
use std::fmt;

use braid_client::{ListItem, Object};
use serde::Serialize;

use crate::text::{Plain, Size};

/// An object for programs.
#[derive(Serialize)]
pub(crate) struct ObjectJson {
    path: String,
    physical_address: String,
    size: u64,
    checksum: String,
    content_type: String,
    metadata: BTreeMap<String, String>,
    mtime: String,
    /// Digits, since numbers of JSON are not exact in every program.
    generation: String,
}

impl From<Object> for ObjectJson {
    fn from(object: Object) -> Self {
        Self {
            path: object.path.as_str().to_owned(),
            physical_address: object.entry.address,
            size: object.entry.size,
            checksum: object.entry.checksum,
            content_type: object.entry.content_type,
            metadata: object.entry.metadata,
            mtime: object.entry.mtime.to_string(),
            generation: object.generation.to_string(),
        }
    }
}

/// All that is known of an object.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct ObjectView(ObjectJson);

impl From<Object> for ObjectView {
    fn from(object: Object) -> Self {
        Self(object.into())
    }
}

impl fmt::Display for ObjectView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = &self.0;
        writeln!(f, "path:         {}", Plain(&object.path))?;
        writeln!(f, "size:         {} ({} bytes)", Size(object.size), object.size)?;
        writeln!(f, "mtime:        {}", object.mtime)?;
        writeln!(f, "checksum:     {}", Plain(&object.checksum))?;
        writeln!(f, "generation:   {}", object.generation)?;
        writeln!(f, "content type: {}", Plain(&object.content_type))?;
        write!(f, "address:      {}", Plain(&object.physical_address))?;
        for (key, value) in &object.metadata {
            write!(f, "\nmetadata:     {} = {}", Plain(key), Plain(value))?;
        }
        Ok(())
    }
}

/// One line of a listing.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum ListLine {
    /// An object.
    Object {
        object: ObjectJson,
        /// Show the size as a plain number.
        #[serde(skip)]
        bytes: bool,
    },
    /// What several paths begin with.
    CommonPrefix { common_prefix: String },
}

impl ListLine {
    pub(crate) fn new(item: ListItem, bytes: bool) -> Self {
        match item {
            ListItem::Object(object) => Self::Object { object: object.into(), bytes },
            ListItem::CommonPrefix(prefix) => {
                Self::CommonPrefix { common_prefix: prefix.as_str().to_owned() }
            }
        }
    }
}

impl fmt::Display for ListLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, size, mtime, path) = match self {
            Self::Object { object, bytes } => {
                let size = if *bytes { object.size.to_string() } else { Size(object.size).to_string() };
                ("object", size, seconds(&object.mtime), &object.path)
            }
            Self::CommonPrefix { common_prefix } => ("prefix", "-".into(), "-".into(), common_prefix),
        };
        write!(f, "{kind}  {size:>12}  {mtime:<20}  {}", Plain(path))
    }
}

/// A time without its fraction of a second.
fn seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_seconds_are_left_out_of_listings() {
        assert_eq!(seconds("2026-01-31T12:00:00.123456789Z"), "2026-01-31T12:00:00Z");
        assert_eq!(seconds("2026-01-31T12:00:00Z"), "2026-01-31T12:00:00Z");
    }
}
