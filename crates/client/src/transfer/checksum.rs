//! Whether data is what its entity tag says.

use http::HeaderMap;

/// The entity tag of an answer, without quotes.
pub(super) fn etag(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(http::header::ETAG)?.to_str().ok()?;
    Some(value.trim_start_matches("W/").trim_matches('"').to_owned())
}

/// Whether the object store computes entity tags of single uploads by MD5: S3 does, but neither for data encrypted with
/// keys of a customer or of its key service, nor in directory buckets.
pub(super) fn tags_are_md5(host: &str, headers: &HeaderMap) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let by_key_service =
        header("x-amz-server-side-encryption").is_some_and(|algorithm| algorithm.starts_with("aws:kms"));
    let by_customer = header("x-amz-server-side-encryption-customer-algorithm").is_some();
    !by_key_service && !by_customer && !host.contains(".s3express-")
}

/// Whether data of this MD5 was stored under `tag`.
pub(super) fn stored_as(md5: &str, tag: &str, tags_are_md5: bool) -> bool {
    md5 == tag || !(tags_are_md5 && looks_like_md5(tag))
}

/// Whether data of this MD5 is what an entry with `checksum` describes, when the store says that its tag is `tag`.
pub(super) fn described_by(md5: &str, checksum: &str, tag: Option<&str>, tags_are_md5: bool) -> bool {
    match tag {
        _ if md5 == checksum => true,
        None => !looks_like_md5(checksum),
        Some(tag) => tag == checksum && stored_as(md5, tag, tags_are_md5),
    }
}

fn looks_like_md5(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = "900150983cd24fb0d6963f7d28e17f72";
    const OTHER: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const PARTS: &str = "900150983cd24fb0d6963f7d28e17f72-2";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn tags_lose_their_quotes() {
        assert_eq!(etag(&headers(&[("etag", "\"abc\"")])).as_deref(), Some("abc"));
        assert_eq!(etag(&headers(&[("etag", "W/\"abc\"")])).as_deref(), Some("abc"));
        assert_eq!(etag(&headers(&[])), None);
    }

    #[test]
    fn some_tags_are_no_md5() {
        assert!(tags_are_md5("b.s3.amazonaws.com", &headers(&[("x-amz-server-side-encryption", "AES256")])));
        assert!(!tags_are_md5(
            "b.s3.amazonaws.com",
            &headers(&[("x-amz-server-side-encryption", "aws:kms")])
        ));
        assert!(!tags_are_md5(
            "h",
            &headers(&[("x-amz-server-side-encryption-customer-algorithm", "AES256")])
        ));
        assert!(!tags_are_md5("b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", &headers(&[])));
    }

    #[test]
    fn stored_data_is_checked_where_it_can_be() {
        assert!(stored_as(DATA, DATA, true));
        assert!(!stored_as(DATA, OTHER, true));
        assert!(stored_as(DATA, OTHER, false));
        assert!(stored_as(DATA, PARTS, true));
    }

    #[test]
    fn downloaded_data_is_checked_where_it_can_be() {
        assert!(described_by(DATA, DATA, Some(OTHER), true), "the data itself is right");
        assert!(!described_by(DATA, OTHER, Some(OTHER), true), "broken on the way");
        assert!(described_by(DATA, OTHER, Some(OTHER), false), "the store vouches for it");
        assert!(described_by(DATA, PARTS, Some(PARTS), true), "the store vouches for it");
        assert!(!described_by(DATA, PARTS, Some(DATA), true), "other data");
        assert!(!described_by(DATA, OTHER, None, true));
        assert!(described_by(DATA, PARTS, None, true), "nothing to check by");
    }
}
