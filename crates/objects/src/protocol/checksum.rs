//! Checksums that come with content, in front of it or behind it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::Checksum;
use s3s::{S3Result, TrailingHeaders, s3_error};

/// The headers that carry checksums; in front of content, or announced by `x-amz-trailer`.
const CRC32: &str = "x-amz-checksum-crc32";
const CRC32C: &str = "x-amz-checksum-crc32c";
const CRC64: &str = "x-amz-checksum-crc64nvme";
const SHA1: &str = "x-amz-checksum-sha1";
const SHA256: &str = "x-amz-checksum-sha256";

/// What content must come to.
pub struct Expected {
    headers: HeaderMap,
    trailers: Option<TrailingHeaders>,
    hasher: ChecksumHasher,
}

impl Expected {
    /// The checksums that a request declares.
    pub fn of(headers: &HeaderMap, trailers: Option<TrailingHeaders>) -> Self {
        let announced =
            headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let announced: Vec<String> =
            announced.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        let declares = |name: &str| headers.contains_key(name) || announced.iter().any(|other| other == name);
        let hasher = ChecksumHasher {
            crc32: declares(CRC32).then(Crc32::new),
            crc32c: declares(CRC32C).then(Crc32c::new),
            crc64nvme: declares(CRC64).then(Crc64Nvme::new),
            sha1: declares(SHA1).then(Sha1::new),
            sha256: declares(SHA256).then(Sha256::new),
        };
        Self { headers: headers.clone(), trailers, hasher }
    }

    /// Takes the next bytes of content.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Compares the content, whose MD5 is `md5`, with what was declared; answers the checksums found.
    ///
    /// # Errors
    /// `BadDigest`, or what says that a checksum cannot be one.
    pub fn check(self, md5: &[u8; 16]) -> S3Result<Checksum> {
        if let Some(declared) = self.headers.get("content-md5") {
            let declared = STANDARD.decode(declared.as_bytes()).ok().filter(|digest| digest.len() == 16);
            let declared = declared.ok_or_else(|| s3_error!(InvalidDigest, "Content-MD5 is no MD5"))?;
            if declared != md5 {
                return Err(s3_error!(BadDigest, "the content's MD5 is not the one declared"));
            }
        }
        let trailers = self.trailers.and_then(|trailers| trailers.take()).unwrap_or_default();
        let found = self.hasher.finalize();
        for (name, value) in values(&found) {
            let declared = self.headers.get(name).or_else(|| trailers.get(name));
            let declared = declared.ok_or_else(|| s3_error!(InvalidRequest, "{name} was announced only"))?;
            if declared.as_bytes() != value.as_bytes() {
                return Err(s3_error!(BadDigest, "the content's {name} is {value}, not the one declared"));
            }
        }
        Ok(found)
    }
}

fn values(found: &Checksum) -> impl Iterator<Item = (&'static str, &str)> {
    let values = [
        (CRC32, &found.checksum_crc32),
        (CRC32C, &found.checksum_crc32c),
        (CRC64, &found.checksum_crc64nvme),
        (SHA1, &found.checksum_sha1),
        (SHA256, &found.checksum_sha256),
    ];
    values.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use md5::{Digest, Md5};

    use super::*;

    fn check(headers: &[(&'static str, &'static str)], content: &[u8]) -> Option<String> {
        let parse = |(name, value): &(&'static str, &'static str)| {
            (name.parse().unwrap(), HeaderValue::from_static(value))
        };
        let mut expected = Expected::of(&headers.iter().map(parse).collect(), None);
        expected.update(content);
        expected.check(&Md5::digest(content).into()).err().map(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn each_declared_checksum_is_compared() {
        for (name, right, wrong) in [
            ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==", "XUFAKrxLKna5cZ2REBfFkQ=="),
            (CRC32, "NhCmhg==", "NhCmhQ=="),
            (CRC32C, "mnG7TA==", "mnG7TQ=="),
            (SHA1, "qvTGHdzF6KLavt4PO0gs2a6pQ00=", "qvTGHdzF6KLavt4PO0gs2a6pQ0A="),
            (SHA256, "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", "LPJN"),
        ] {
            assert_eq!(check(&[(name, right)], b"hello"), None, "{name}");
            assert_eq!(check(&[(name, wrong)], b"hello").as_deref(), Some("BadDigest"), "{name}");
        }
    }

    #[test]
    fn a_checksum_that_cannot_be_one_is_refused() {
        assert_eq!(check(&[("content-md5", "short")], b"").as_deref(), Some("InvalidDigest"));
        assert_eq!(check(&[("x-amz-trailer", CRC32)], b"").as_deref(), Some("InvalidRequest"));
    }
}
