//! What a path maps to.

use std::collections::BTreeMap;

use crate::{Code, Error, IdentityHasher, Time, limits};

/// How an entry's physical address is to be read. The numbers are those of lakeFS's committed format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressType {
    /// Decided by the address' prefix; only in old trees.
    ByPrefix = 0,
    /// Relative to the repository's storage namespace.
    Relative = 1,
    /// A whole URI.
    Full = 2,
}

/// An object's metadata: where its data is and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where the data is.
    pub address: String,
    /// How `address` is to be read.
    pub address_type: AddressType,
    /// Size of the data in bytes.
    pub size: u64,
    /// The data's checksum as the writer gave it: an S3 entity tag without quotes.
    pub checksum: String,
    /// MIME type; may be empty.
    pub content_type: String,
    /// The user's own keys and values.
    pub metadata: BTreeMap<String, String>,
    /// When the data was written.
    pub mtime: Time,
}

impl Entry {
    /// What makes two entries the same content: size, checksum, metadata and content type.
    /// Address and time are not in it, so writing the same content again is no change.
    pub fn identity(&self) -> [u8; 32] {
        let size = i64::try_from(self.size).unwrap_or(i64::MAX);
        let hasher = IdentityHasher::new().int64(size).string(&self.checksum).map(&self.metadata);
        match self.content_type.as_str() {
            "" => hasher.finish(),
            content_type => hasher.string(content_type).finish(),
        }
    }

    /// Names exactly this version of an object: the first 8 bytes, big endian, of a hash of all that an entry holds. An
    /// upload has an address of its own, so the same content written again is another version. It needs no storage, and is
    /// the same wherever the entry is found: staged or committed, on any branch. Never 0, which stands for no object.
    pub fn generation(&self) -> u64 {
        let hash = IdentityHasher::new()
            .string("generation")
            .int64(i64::try_from(self.size).unwrap_or(i64::MAX))
            .strings(&[&self.checksum, &self.content_type])
            .map(&self.metadata)
            .int64(self.address_type as i64)
            .string(&self.address)
            .int64(self.mtime.seconds)
            .int64(i64::from(self.mtime.nanos))
            .finish();
        let first = hash.first_chunk().expect("a hash has more than 8 bytes");
        u64::from_be_bytes(*first).max(1)
    }

    /// Checks every limit of an entry that is about to be staged under `path`.
    pub fn check(&self, path: &str) -> Result<(), Error> {
        check_metadata(path, &self.metadata)?;
        check_limit(path, "physical address", self.address.len(), limits::ADDRESS_BYTES)?;
        check_limit(path, "checksum", self.checksum.len(), limits::CHECKSUM_BYTES)?;
        check_limit(path, "content type", self.content_type.len(), limits::CONTENT_TYPE_BYTES)?;
        if self.size > limits::OBJECT_BYTES {
            let message =
                format!("size of '{path}' is {} bytes; the limit is {}", self.size, limits::OBJECT_BYTES);
            return Err(Error::new(Code::LimitExceeded, path, message));
        }
        if self.checksum.is_empty() {
            return Err(Error::new(Code::InvalidArgument, path, format!("checksum of '{path}' is empty")));
        }
        if self.address.is_empty() {
            return Err(Error::new(
                Code::InvalidArgument,
                path,
                format!("physical address of '{path}' is empty"),
            ));
        }
        Ok(())
    }
}

/// Checks the limit of the user's own keys and values that an entry is about to be staged with under `path`.
pub fn check_metadata(path: &str, metadata: &BTreeMap<String, String>) -> Result<(), Error> {
    let bytes = metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    check_limit(path, "metadata", bytes, limits::ENTRY_METADATA_BYTES)
}

fn check_limit(path: &str, what: &str, bytes: usize, most: usize) -> Result<(), Error> {
    if bytes <= most {
        return Ok(());
    }
    let message = format!("{what} of '{path}' has {bytes} bytes; the limit is {most}");
    Err(Error::new(Code::LimitExceeded, path, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            address: "data/a".into(),
            address_type: AddressType::Relative,
            size: 3,
            checksum: "900150983cd24fb0d6963f7d28e17f72".into(),
            content_type: "text/plain".into(),
            metadata: BTreeMap::from([("k".into(), "v".into())]),
            mtime: Time::from_seconds(1),
        }
    }

    #[test]
    fn identity_covers_content_and_not_place_or_time() {
        let original = entry().identity();
        let moved = Entry { address: "data/b".into(), mtime: Time::from_seconds(2), ..entry() };
        assert_eq!(moved.identity(), original);
        for changed in [
            Entry { size: 4, ..entry() },
            Entry { checksum: "x".into(), ..entry() },
            Entry { content_type: String::new(), ..entry() },
            Entry { metadata: BTreeMap::new(), ..entry() },
        ] {
            assert_ne!(changed.identity(), original);
        }
    }

    #[test]
    fn a_generation_is_one_version_whatever_of_it_differs() {
        let original = entry().generation();
        assert_eq!(entry().generation(), original);
        for changed in [
            Entry { size: 4, ..entry() },
            Entry { checksum: "x".into(), ..entry() },
            Entry { content_type: String::new(), ..entry() },
            Entry { metadata: BTreeMap::new(), ..entry() },
            Entry { address: "data/b".into(), ..entry() },
            Entry { address_type: AddressType::Full, ..entry() },
            Entry { mtime: Time::from_seconds(2), ..entry() },
            Entry { mtime: Time { seconds: 1, nanos: 1 }, ..entry() },
        ] {
            assert_ne!(changed.generation(), original, "{changed:?}");
        }
        // Clients keep it: it is the same in every version of the server.
        assert_eq!(original, 5_863_364_081_470_240_555);
    }

    #[test]
    fn each_limit_names_the_path_and_the_limit() {
        assert!(entry().check("p").is_ok());
        let metadata = BTreeMap::from([("k".into(), "v".repeat(limits::ENTRY_METADATA_BYTES))]);
        let error = Entry { metadata, ..entry() }.check("p").unwrap_err();
        assert_eq!(error.code(), Code::LimitExceeded);
        assert!(error.message().contains("'p' has 65537 bytes; the limit is 65536"), "{error}");
        assert!(Entry { checksum: String::new(), ..entry() }.check("p").is_err());
        assert!(Entry { size: u64::MAX, ..entry() }.check("p").is_err());
    }
}
