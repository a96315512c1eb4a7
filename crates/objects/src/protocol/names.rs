//! Names of objects in listings.

use s3s::dto::EncodingType;
use s3s::{S3Result, s3_error as refuse};

use crate::s3::encode_name;

/// How names are written in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// As they are.
    Plain,
    /// Percent-encoded: XML cannot hold every character that a key can.
    Encoded,
}

impl Names {
    /// As the `encoding-type` of a request asks.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn asked(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Encoded),
            Some(other) => Err(refuse!(InvalidArgument, "unknown encoding-type \"{other}\"")),
        }
    }

    /// The name as it is to be written.
    #[must_use]
    pub fn write(self, name: String) -> String {
        match self {
            Self::Plain => name,
            Self::Encoded => encode_name(&name),
        }
    }
}
