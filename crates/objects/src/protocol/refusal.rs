//! What is refused before the protocol library sees it. The library ignores parameters and headers that it does not
//! know: `PUT key?tagging` would replace the object by an empty one.

use axum::body::Body;
use http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use s3s::{S3Error, S3ErrorCode};

use crate::MAX_PRESIGN_TTL;

/// Why a request is refused: the S3 code, and a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: &'static str,
    message: String,
}

/// Where a request names its bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// As the first part of its path.
    Path,
    /// In its host's name.
    Host,
}

/// The answer to a refused request.
#[must_use]
pub(super) fn refused(refusal: Refusal) -> Response<Body> {
    let code = S3ErrorCode::from_bytes(refusal.code.as_bytes()).expect("every refusal has a code of S3's");
    match S3Error::with_message(code, refusal.message).to_http_response() {
        Ok(response) => response.map(Body::new),
        Err(_) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
            response
        }
    }
}

/// Headers that ask for something that is not done here, and must not be passed over in silence.
const REFUSED_HEADERS: [&str; 7] = [
    "x-amz-write-offset-bytes",
    "x-amz-rename-source",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-tagging",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-website-redirect-location",
];

/// What a request is about, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Root,
    Bucket,
    Object,
}

/// Why the request is refused, if it is.
#[must_use]
pub(super) fn refusal(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    addressing: Addressing,
) -> Option<Refusal> {
    let names: Vec<&str> = parameters(uri).map(|(name, _)| name).collect();
    if is_version_2(&names, headers) {
        let message = "Signature Version 2 is not accepted; use Version 4".to_owned();
        return Some(Refusal { code: "InvalidRequest", message });
    }
    if lives_too_long(uri) {
        let message = format!("X-Amz-Expires is at most {} seconds", MAX_PRESIGN_TTL.as_secs());
        return Some(Refusal { code: "AuthorizationQueryParametersError", message });
    }
    let refused_header = REFUSED_HEADERS.into_iter().find(|name| headers.contains_key(*name));
    if let Some(name) = refused_header {
        return Some(not_implemented(&format!("header \"{name}\"")));
    }
    let target = target(uri.path(), addressing);
    if let Some(name) = names.iter().find(|name| !is_known(method, target, name)) {
        return Some(not_implemented(&format!("parameter \"{name}\" of {method}")));
    }
    if names.contains(&"partNumber") != names.contains(&"uploadId") && method == Method::PUT {
        let message = "a part is named by \"partNumber\" and \"uploadId\" together".to_owned();
        return Some(Refusal { code: "InvalidArgument", message });
    }
    let posts_without_purpose =
        method == Method::POST && !names.iter().any(|name| names_a_post(target, name));
    posts_without_purpose.then(|| not_implemented("upload by form"))
}

fn not_implemented(what: &str) -> Refusal {
    Refusal { code: "NotImplemented", message: format!("{what} is not implemented here") }
}

/// The parameters of a query, as they are written.
fn parameters(uri: &Uri) -> impl Iterator<Item = (&str, &str)> {
    let parameters = uri.query().unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty());
    parameters.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
}

fn is_version_2(names: &[&str], headers: &HeaderMap) -> bool {
    let authorization = headers.get(header::AUTHORIZATION);
    let by_header = authorization.is_some_and(|value| value.as_bytes().starts_with(b"AWS "));
    by_header || names.iter().any(|name| ["AWSAccessKeyId", "Signature"].contains(name))
}

/// Whether a URL was presigned for longer than S3 allows, which the library lets pass.
fn lives_too_long(uri: &Uri) -> bool {
    let asked = parameters(uri).find(|(name, _)| *name == "X-Amz-Expires");
    let seconds = asked.and_then(|(_, value)| value.parse::<u64>().ok());
    seconds.is_some_and(|seconds| seconds > MAX_PRESIGN_TTL.as_secs())
}

fn target(path: &str, addressing: Addressing) -> Target {
    let path = path.strip_prefix('/').unwrap_or(path);
    match (addressing, path.split_once('/')) {
        (Addressing::Host, _) if path.is_empty() => Target::Bucket,
        (Addressing::Host, _) => Target::Object,
        (Addressing::Path, Some((_, key))) if !key.is_empty() => Target::Object,
        (Addressing::Path, _) if path.is_empty() => Target::Root,
        (Addressing::Path, _) => Target::Bucket,
    }
}

fn is_known(method: &Method, target: Target, name: &str) -> bool {
    // `x-id` only names the operation; the rest is the signature.
    if name == "x-id" || name.to_ascii_lowercase().starts_with("x-amz-") {
        return true;
    }
    match (method.as_str(), target) {
        ("GET" | "HEAD", Target::Root) => {
            ["max-buckets", "continuation-token", "prefix", "bucket-region"].contains(&name)
        }
        ("GET" | "HEAD", Target::Bucket) => [
            "list-type",
            "prefix",
            "delimiter",
            "marker",
            "max-keys",
            "encoding-type",
            "continuation-token",
            "start-after",
            "fetch-owner",
            "uploads",
            "key-marker",
            "upload-id-marker",
            "max-uploads",
            "location",
            "versioning",
        ]
        .contains(&name),
        ("GET" | "HEAD", Target::Object) => {
            name.starts_with("response-") || ["uploadId", "part-number-marker", "max-parts"].contains(&name)
        }
        ("PUT", Target::Object) => ["partNumber", "uploadId"].contains(&name),
        ("POST", _) => names_a_post(target, name),
        ("DELETE", Target::Object) => name == "uploadId",
        _ => false,
    }
}

fn names_a_post(target: Target, name: &str) -> bool {
    match target {
        Target::Root => false,
        Target::Bucket => name == "delete",
        Target::Object => name == "uploads" || name == "uploadId",
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn refused(method: &str, uri: &str) -> Option<&'static str> {
        let method: Method = method.parse().unwrap();
        refusal(&method, &uri.parse().unwrap(), &HeaderMap::new(), Addressing::Path)
            .map(|refusal| refusal.code)
    }

    #[test]
    fn unknown_sub_resources_are_refused() {
        for (method, uri) in [
            ("PUT", "/b.local/key?renameObject"),
            ("PUT", "/b.local/key?tagging"),
            ("PUT", "/b.local/key?acl"),
            ("PUT", "/b.local/key?retention=1"),
            ("PUT", "/b.local/key?x-id=PutObject&legal-hold"),
            ("PUT", "/b.local?versioning"),
            ("PUT", "/b.local/?policy"),
            ("DELETE", "/b.local/key?tagging"),
            ("DELETE", "/b.local?lifecycle"),
            ("GET", "/b.local/key?torrent"),
            ("GET", "/b.local/key?versionId=3"),
            ("GET", "/b.local?versions"),
            ("POST", "/b.local/key?select&select-type=2"),
            ("POST", "/b.local"),
            ("POST", "/b.local/key"),
        ] {
            assert_eq!(refused(method, uri), Some("NotImplemented"), "{method} {uri}");
        }
    }

    #[test]
    fn half_a_part_is_no_object() {
        for uri in ["/b.local/key?partNumber=1", "/b.local/key?uploadId=x"] {
            assert_eq!(refused("PUT", uri), Some("InvalidArgument"), "{uri}");
        }
    }

    #[test]
    fn what_is_done_here_passes() {
        for (method, uri) in [
            ("GET", "/"),
            ("GET", "/b.local?list-type=2&prefix=a%2F&delimiter=%2F&max-keys=5"),
            ("GET", "/b.local/key?response-content-type=a&X-Amz-Signature=b&X-Amz-Expires=9"),
            ("PUT", "/b.local/key?partNumber=1&uploadId=x"),
            ("PUT", "/b.local"),
            ("POST", "/b.local/?delete"),
            ("POST", "/b.local/dir/key?uploads="),
            ("DELETE", "/b.local/key?x-id=DeleteObject"),
            ("HEAD", "/b.local"),
        ] {
            assert_eq!(refused(method, uri), None, "{method} {uri}");
        }
    }

    #[test]
    fn a_bucket_in_the_host_is_not_in_the_path() {
        let refused = |method: &str, uri: &str| {
            let method: Method = method.parse().unwrap();
            refusal(&method, &uri.parse().unwrap(), &HeaderMap::new(), Addressing::Host).is_some()
        };
        assert!(!refused("GET", "/?list-type=2"));
        assert!(!refused("PUT", "/key?partNumber=1&uploadId=x"));
        assert!(refused("GET", "/key?list-type=2"));
        assert!(refused("PUT", "/key?tagging"));
    }

    #[test]
    fn urls_live_a_week_at_most() {
        let url = |seconds: u64| format!("/b.local/key?X-Amz-Expires={seconds}&X-Amz-Signature=b");
        assert_eq!(refused("GET", &url(604_800)), None);
        assert_eq!(refused("GET", &url(604_801)), Some("AuthorizationQueryParametersError"));
    }

    #[test]
    fn signature_version_2_is_refused() {
        assert_eq!(
            refused("GET", "/b.local/key?AWSAccessKeyId=a&Signature=b&Expires=9"),
            Some("InvalidRequest")
        );
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("AWS key:signature"));
        let refusal =
            refusal(&Method::GET, &"/b.local/key".parse().unwrap(), &headers, Addressing::Path).unwrap();
        assert_eq!(refusal.code, "InvalidRequest");
    }

    #[test]
    fn headers_that_ask_for_more_are_refused() {
        for name in REFUSED_HEADERS {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static("1"));
            let refusal =
                refusal(&Method::PUT, &"/b.local/key".parse().unwrap(), &headers, Addressing::Path).unwrap();
            assert!(refusal.message.contains(name), "{refusal:?}");
        }
    }
}
