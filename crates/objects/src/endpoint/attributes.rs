//! What is kept of a write's headers, and answered with a read.

use std::collections::{BTreeMap, HashMap};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::local::Attributes;

/// Headers that are answered as they were given.
const KEPT: [&str; 5] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];

/// How chunked uploads are sent, which is no property of the object.
const TRANSFER_CODING: &str = "aws-chunked";

/// What a write with these headers says of the object.
pub(super) fn attributes(
    headers: &HeaderMap,
    content_type: Option<String>,
    metadata: Option<HashMap<String, String>>,
) -> Attributes {
    let kept = KEPT.into_iter().filter_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        let value = without_transfer_coding(value);
        (!value.is_empty()).then(|| (name.to_owned(), value))
    });
    let metadata: BTreeMap<String, String> = metadata.unwrap_or_default().into_iter().collect();
    Attributes { content_type, headers: kept.collect(), metadata }
}

fn without_transfer_coding(value: &str) -> String {
    let codings = value.split(',').map(str::trim).filter(|coding| *coding != TRANSFER_CODING);
    if value.contains(TRANSFER_CODING) { codings.collect::<Vec<_>>().join(", ") } else { value.to_owned() }
}

/// The headers that a read of the object answers, beside those the protocol library knows of. What the `query` asks
/// to be answered instead, the library puts in.
pub(super) fn kept_headers(attributes: &Attributes, query: Option<&str>) -> HeaderMap {
    let replaced = |name: &str| query.unwrap_or_default().contains(&format!("response-{name}="));
    let parse = |(name, value): (&String, &String)| {
        if replaced(name) {
            return None;
        }
        let name: HeaderName = name.parse().ok()?;
        Some((name, HeaderValue::from_str(value).ok()?))
    };
    attributes.headers.iter().filter_map(parse).collect()
}

/// The user metadata that a read of the object answers.
pub(super) fn metadata(attributes: &Attributes) -> Option<HashMap<String, String>> {
    let metadata = &attributes.metadata;
    (!metadata.is_empty())
        .then(|| metadata.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coding_of_the_upload_is_not_the_objects() {
        for (sent, kept) in [("aws-chunked", None), ("gzip,aws-chunked", Some("gzip")), ("br", Some("br"))] {
            let mut headers = HeaderMap::new();
            headers.insert("content-encoding", HeaderValue::from_static(sent));
            let attributes = attributes(&headers, None, None);
            assert_eq!(attributes.headers.get("content-encoding").map(String::as_str), kept, "{sent}");
        }
    }
}
