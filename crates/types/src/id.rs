//! Ids: content hashes, random ids, and the request ids that clients choose.

use std::fmt;
use std::str::FromStr;

use crate::{Code, Error, Random, limits};

macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The id with these raw bytes.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The id with these raw bytes, if there are as many as an id has.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// Lower-case hexadecimal.
            pub fn to_hex(&self) -> String {
                hex::encode(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// Parses lower-case hexadecimal of exactly the id's length.
            fn from_str(text: &str) -> Result<Self, Error> {
                let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
                let mut bytes = [0; $bytes];
                match hex::decode_to_slice(text, &mut bytes) {
                    Ok(()) if lower => Ok(Self(bytes)),
                    _ => Err(Error::new(
                        Code::InvalidArgument,
                        text,
                        format!("'{text}' is not a {}: {} lower-case hexadecimal digits", $what, 2 * $bytes),
                    )),
                }
            }
        }
    };
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        bytes_id!($(#[$doc])* $name, 16, $what);

        impl $name {
            /// A fresh id.
            pub fn random(random: &dyn Random) -> Self {
                Self(random.bytes())
            }
        }
    };
}

bytes_id!(
    /// Names a commit: the hash of its content.
    CommitId, 32, "commit id"
);
bytes_id!(
    /// Names a range: the hash of its records.
    RangeId, 32, "range id"
);
bytes_id!(
    /// Names a metarange, and with it a whole tree: the hash of its range descriptors.
    MetarangeId, 32, "metarange id"
);
random_id!(
    /// A repository's own id: unlike its name it is never used again.
    RepositoryId, "repository id"
);
random_id!(
    /// The id under which a branch's uncommitted entries are kept.
    StagingToken, "staging token"
);
random_id!(
    /// Names one sealed layer of a branch.
    LayerId, "layer id"
);
random_id!(
    /// Names one import of objects.
    ImportId, "import id"
);
random_id!(
    /// Tells one creation of a branch from the next one of the same name.
    Incarnation, "incarnation"
);

/// Names one mutating request of a client, so that a retry can be told from a new request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// Takes `text` as a request id: 1 to 128 printable ASCII characters without a blank.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > limits::REQUEST_ID_BYTES || !printable {
            let message = format!(
                "request id '{}' must be 1 to {} printable ASCII characters",
                text.escape_debug(),
                limits::REQUEST_ID_BYTES
            );
            return Err(Error::new(Code::InvalidArgument, text, message));
        }
        Ok(Self(text))
    }

    /// A fresh id, for a client that has none.
    pub fn random(random: &dyn Random) -> Self {
        Self(hex::encode(random.bytes::<16>()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_round_trips_and_nothing_else_parses() {
        let id = CommitId::from_bytes([0xa5; 32]);
        assert_eq!(id.to_string().parse::<CommitId>().unwrap(), id);
        for wrong in ["", "a5", &"A5".repeat(32), &"g5".repeat(32), &"a5".repeat(33)] {
            assert_eq!(wrong.parse::<CommitId>().unwrap_err().code(), Code::InvalidArgument);
        }
    }

    #[test]
    fn request_ids_are_short_printable_words() {
        assert!(RequestId::new("r-1").is_ok());
        assert!(RequestId::new("x".repeat(128)).is_ok());
        for wrong in [String::new(), "a b".into(), "\u{e9}".into(), "x".repeat(129)] {
            assert!(RequestId::new(wrong).is_err());
        }
    }
}
