//! User metadata: kept among an object's own, under the name of the header that it came with, as lakeFS keeps it.

use std::collections::{BTreeMap, HashMap};

use s3s::{S3Result, s3_error as refuse};

/// What the names of user metadata begin with.
const PREFIX: &str = "X-Amz-Meta-";

/// The most user metadata of one object, keys and values together, in bytes.
const MOST: usize = 2048;

/// What is kept of a request's user metadata.
pub(super) fn kept(metadata: Option<HashMap<String, String>>) -> S3Result<BTreeMap<String, String>> {
    let metadata = metadata.unwrap_or_default();
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MOST {
        return Err(refuse!(MetadataTooLarge, "user metadata has {bytes} bytes; the limit is {MOST}"));
    }
    let named = |(name, value): (String, String)| (format!("{PREFIX}{}", name.to_ascii_lowercase()), value);
    Ok(metadata.into_iter().map(named).collect())
}

/// What a read of an object answers of its metadata. What was not given by this protocol is not for it.
pub(super) fn answered(metadata: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    let found = metadata.iter().filter_map(|(name, value)| {
        let (prefix, rest) = name.split_at_checked(PREFIX.len())?;
        let is_ours = prefix.eq_ignore_ascii_case(PREFIX) && !rest.is_empty();
        is_ours.then(|| (rest.to_ascii_lowercase(), value.clone()))
    });
    let found: HashMap<String, String> = found.collect();
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_kept_under_the_header_s_name_and_answered_without() {
        let given = HashMap::from([("Color".to_owned(), "red".to_owned())]);
        let mut metadata = kept(Some(given)).unwrap();
        assert_eq!(metadata, BTreeMap::from([("X-Amz-Meta-color".to_owned(), "red".to_owned())]));
        metadata.insert("other".to_owned(), "value".to_owned());
        metadata.insert("x-amz-meta-Shape".to_owned(), "round".to_owned());
        let expected = [("color", "red"), ("shape", "round")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(answered(&metadata), Some(HashMap::from(expected)));
        assert_eq!(answered(&BTreeMap::new()), None);
    }

    #[test]
    fn too_much_metadata_is_refused() {
        let with = |bytes: usize| kept(Some(HashMap::from([("k".to_owned(), "v".repeat(bytes))])));
        assert!(with(MOST - 1).is_ok());
        assert_eq!(with(MOST).unwrap_err().code().as_str(), "MetadataTooLarge");
    }
}
