//! Object paths and path prefixes.

use std::fmt;

use crate::{Code, Error, limits};

/// A path inside a repository: 1 to 1,024 bytes of any UTF-8 (4,096 where a directory move made it longer).
///
/// Braid gives no character a meaning of its own; `/` is the delimiter by convention only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectPath(String);

impl ObjectPath {
    /// Takes `path` as a path that a caller may write.
    pub fn new(path: impl Into<String>) -> Result<Self, Error> {
        let path = path.into();
        check_length(&path, limits::PATH_BYTES)?;
        Ok(Self(path))
    }

    /// Takes `path` as a path that may exist already: longer ones come about by directory moves.
    pub fn existing(path: impl Into<String>) -> Result<Self, Error> {
        let path = path.into();
        check_length(&path, limits::MOVED_PATH_BYTES)?;
        Ok(Self(path))
    }

    /// Takes the raw bytes of a stored key.
    pub fn from_key(key: &[u8]) -> Result<Self, Error> {
        let path = std::str::from_utf8(key).map_err(|_| {
            let shown = String::from_utf8_lossy(key).into_owned();
            let message = format!("stored path '{}' is not UTF-8", shown.escape_debug());
            Error::new(Code::Corrupt, shown, message)
        })?;
        Ok(Self(path.to_owned()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as a key of a tree or a staging area.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_length(path: &str, most: usize) -> Result<(), Error> {
    if path.is_empty() {
        return Err(Error::new(Code::InvalidPath, "", "a path must not be empty"));
    }
    if path.len() > most {
        let start: String = path.chars().take(60).collect();
        let message =
            format!("path '{}…' has {} bytes; the limit is {most}", start.escape_debug(), path.len());
        return Err(Error::new(Code::InvalidPath, path, message));
    }
    Ok(())
}

/// The beginning of paths: any UTF-8, also empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PathPrefix(String);

impl PathPrefix {
    /// Takes `prefix` as a prefix: no longer than a path that may exist.
    pub fn new(prefix: impl Into<String>) -> Result<Self, Error> {
        let prefix = prefix.into();
        if !prefix.is_empty() {
            check_length(&prefix, limits::MOVED_PATH_BYTES)?;
        }
        Ok(Self(prefix))
    }

    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The prefix as the beginning of a key.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether every path begins with it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_bytes() {
        assert!(ObjectPath::new("é".repeat(512)).is_ok());
        let error = ObjectPath::new("é".repeat(513)).unwrap_err();
        assert_eq!(error.code(), Code::InvalidPath);
        assert!(error.message().contains("1026 bytes; the limit is 1024"), "{error}");
        assert!(ObjectPath::existing("x".repeat(4096)).is_ok());
        assert!(ObjectPath::existing("x".repeat(4097)).is_err());
        assert!(ObjectPath::new("").is_err());
    }

    #[test]
    fn stored_keys_that_are_not_utf8_are_corrupt() {
        assert_eq!(ObjectPath::from_key(b"\xff").unwrap_err().code(), Code::Corrupt);
    }
}
