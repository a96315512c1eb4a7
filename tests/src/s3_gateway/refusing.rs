use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_s3::presigning::PresigningConfig;
use braid_types::{Clock, SystemClock};
use reqwest::StatusCode;

use super::Lake;
use super::signed::{Signed, http, told as told_of};

async fn told(request: Signed, body: &'static str) -> (u16, String) {
    let (status, code) = request.answer(body).await;
    (status.as_u16(), code)
}

fn said(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn only_true_signatures_of_known_keys_are_taken() {
    let lake = Lake::start().await;
    lake.put("main/a", "body").await;
    let get = || Signed::new(&lake.server, "GET", "/lake/main/a");
    assert_eq!(told(get(), "").await, said(200, ""));
    assert_eq!(
        told(Signed { secret: "other".to_owned(), ..get() }, "").await,
        said(403, "SignatureDoesNotMatch")
    );
    let unknown = Signed { key_id: "BRDAUNKNOWN".to_owned(), ..get() };
    assert_eq!(told(unknown, "").await, said(403, "InvalidAccessKeyId"));
    for skew in [-1000, 1000] {
        assert_eq!(told(Signed { skew, ..get() }, "").await, said(403, "RequestTimeTooSkewed"), "{skew}");
        assert_eq!(told(Signed { skew: skew * 8 / 10, ..get() }, "").await, said(200, ""), "{skew}");
    }
    let elsewhere = Signed { service: "ec2".to_owned(), ..get() };
    assert_eq!(told(elsewhere, "").await, said(501, "NotImplemented"));
    let url = format!("http://{}/lake/main/a", lake.server.http_address());
    for authorization in [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential=",
        "AWS4-HMAC-SHA256 Credential=a/b, x",
        "AWS4-HMAC-SHA256 Credential=a/20260101/r/s3/aws4_request, SignedHeaders=, Signature=",
        "AWS a:b",
    ] {
        let (status, code) = told_of(http().get(&url).header("authorization", authorization)).await;
        assert_eq!((status.as_u16(), code.as_str()), (400, "InvalidRequest"), "{authorization}");
    }
    let (status, code) = told_of(http().get(&url)).await;
    assert_eq!((status.as_u16(), code.as_str()), (403, "AccessDenied"));
    lake.server.stop().await.unwrap();
}

/// A URL to read the object that was presigned `ago` for `lifetime`.
async fn url(lake: &Lake, ago: Duration, lifetime: Duration) -> String {
    let now = UNIX_EPOCH + Duration::from_secs(SystemClock.now().seconds.unsigned_abs());
    let config = PresigningConfig::builder().start_time(now - ago).expires_in(lifetime).build().unwrap();
    let get = lake.s3.get_object().bucket("lake").key("main/a");
    get.presigned(config).await.unwrap().uri().to_owned()
}

/// The URL without a parameter, or with it changed.
fn changed(url: &str, name: &str, value: Option<&str>) -> String {
    let (path, query) = url.split_once('?').unwrap();
    let kept = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).map(str::to_owned);
    let pairs: Vec<String> = kept.chain(value.map(|value| format!("{name}={value}"))).collect();
    format!("{path}?{}", pairs.join("&"))
}

#[tokio::test]
async fn presigned_urls_are_taken_as_they_were_signed_and_while_they_live() {
    let lake = Lake::start().await;
    lake.put("main/a", "body").await;
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let good = url(&lake, minutes(0), minutes(1)).await;
    let week = url(&lake, minutes(0), minutes(7 * 24 * 60)).await;
    let change = |name: &str, value: &str| changed(&good, name, Some(value));
    let mut cases = vec![
        (good.clone(), 200, ""),
        (week.clone(), 200, ""),
        (url(&lake, minutes(5), minutes(1)).await, 403, "AccessDenied"),
        (change("X-Amz-Expires", "604801"), 400, "AuthorizationQueryParametersError"),
        (change("X-Amz-Expires", "120"), 403, "SignatureDoesNotMatch"),
        (change("X-Amz-Expires", "soon"), 400, "InvalidRequest"),
        (change("X-Amz-Date", "yesterday"), 400, "InvalidRequest"),
        (change("X-Amz-Credential", "nobody"), 400, "InvalidRequest"),
        (change("X-Amz-Signature", &"0".repeat(64)), 403, "SignatureDoesNotMatch"),
        (change("X-Amz-Signature", "00"), 400, "InvalidRequest"),
        (changed(&good, "X-Amz-Signature", None), 403, "AccessDenied"),
        (good.replace("/lake/main/a?", "/lake/main/b?"), 403, "SignatureDoesNotMatch"),
    ];
    for name in ["X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"] {
        cases.push((changed(&good, name, None), 400, "InvalidRequest"));
    }
    for (url, status, code) in cases {
        assert_eq!(
            told_of(http().get(&url)).await,
            (StatusCode::from_u16(status).unwrap(), code.to_owned()),
            "{url}"
        );
    }
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn content_must_have_the_hash_that_was_signed() {
    let lake = Lake::start().await;
    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let put = || Signed::new(&lake.server, "PUT", "/lake/main/a").headers(&[("x-amz-content-sha256", hash)]);
    assert_eq!(told(put(), "hello").await, said(200, ""));
    assert_eq!(told(put(), "other").await, said(400, "XAmzContentSHA256Mismatch"));
    assert_eq!(lake.get("main/a").await, "hello");
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_not_done_is_never_taken_for_something_else() {
    let lake = Lake::start().await;
    lake.put("main/a", "body").await;
    for (method, path) in [
        ("PUT", "/lake/main/a?tagging"),
        ("PUT", "/lake/main/a?acl"),
        ("PUT", "/lake/main/a?retention"),
        ("PUT", "/lake/main/a?legal-hold"),
        ("PUT", "/lake/main/a?renameObject"),
        ("PUT", "/lake/main/a?unheard-of=1"),
        ("PUT", "/lake?policy"),
        ("PUT", "/lake?versioning"),
        ("DELETE", "/lake/main/a?tagging"),
        ("DELETE", "/lake?lifecycle"),
        ("GET", "/lake/main/a?torrent"),
        ("GET", "/lake/main/a?versionId=1"),
        ("GET", "/lake?versions"),
        ("GET", "/lake?acl"),
        ("POST", "/lake/main/a?select&select-type=2"),
        ("POST", "/lake/main/a?restore"),
        ("POST", "/lake/main/a"),
    ] {
        let (status, code) = told(Signed::new(&lake.server, method, path), "<x/>").await;
        assert_eq!((status, code.as_str()), (501, "NotImplemented"), "{method} {path}");
    }
    for header in ["x-amz-tagging", "x-amz-object-lock-mode", "x-amz-write-offset-bytes"] {
        let put = Signed::new(&lake.server, "PUT", "/lake/main/a").headers(&[(header, "1")]);
        assert_eq!(told(put, "other").await, said(501, "NotImplemented"), "{header}");
    }
    assert_eq!(lake.get("main/a").await, "body");
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_malformed_is_a_fault_of_the_server() {
    let lake = Lake::start().await;
    lake.put("main/a", "body").await;
    let long = format!("/lake/main/{}", "k".repeat(1100));
    let chunked = [
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("x-amz-decoded-content-length", "4"),
        ("content-encoding", "aws-chunked"),
    ];
    let mut odd = Vec::new();
    for (method, path, headers, body) in [
        ("PUT", "/lake/main/a", &chunked[..], "not chunks"),
        ("PUT", "/lake/main/a", &[("content-md5", "!")][..], "x"),
        ("PUT", "/lake/main/a", &[("x-amz-checksum-crc32", "!")][..], "x"),
        ("PUT", "/lake/main/a", &[("x-amz-content-sha256", "zz")][..], "x"),
        ("PUT", "/lake/main/a", &[("if-none-match", "a b")][..], "x"),
        ("PUT", "/lake/main/a", &[("x-amz-copy-source", "nothing")][..], ""),
        ("PUT", "/lake/main/a", &[("x-amz-copy-source", "lake/%ff/%zz")][..], ""),
        ("PUT", "/lake/main/a?partNumber=x&uploadId=y", &[][..], "x"),
        ("PUT", "/lake/main/a?partNumber=0&uploadId=y", &[][..], "x"),
        ("PUT", "/lake/main/a?partNumber=1", &[][..], "x"),
        ("PUT", "/lake/main/a?uploadId=y", &[][..], "x"),
        ("GET", "/lake/main/a", &[("range", "lines=1-2")][..], ""),
        ("GET", "/lake/main/a", &[("range", "bytes=5-2")][..], ""),
        ("GET", "/lake/main/a", &[("if-modified-since", "yesterday")][..], ""),
        ("GET", "/lake?list-type=2&max-keys=x", &[][..], ""),
        ("GET", "/lake?list-type=2&max-keys=-1", &[][..], ""),
        ("GET", "/lake?list-type=2&continuation-token=%21", &[][..], ""),
        ("GET", "/lake?list-type=2&encoding-type=rot13", &[][..], ""),
        ("GET", "/lake?list-type=2&prefix=%FF", &[][..], ""),
        ("GET", "/lake?uploads&max-uploads=x", &[][..], ""),
        ("GET", "/lake/main/a?uploadId=x&part-number-marker=-1", &[][..], ""),
        ("POST", "/lake?delete", &[][..], "<Delete>"),
        ("POST", "/lake?delete", &[][..], ""),
        ("POST", "/lake/main/a?uploadId=x", &[][..], "<nothing/>"),
        ("POST", "/lake/main/a?uploadId=x", &[][..], "&"),
        ("DELETE", "/lake/main/a?uploadId=%00", &[][..], ""),
        ("GET", "/lake/main/%FF", &[][..], ""),
        ("GET", "/LAKE/main/a", &[][..], ""),
        ("GET", "/la/main/a", &[][..], ""),
        ("PUT", long.as_str(), &[][..], "x"),
        ("DELETE", "/lake/main~1/a", &[][..], ""),
    ] {
        let (status, code) = told(Signed::new(&lake.server, method, path).headers(headers), body).await;
        // A listing or a read may pass over what it does not understand.
        let passed_over = method == "GET" && (200..300).contains(&status);
        let said = !code.is_empty() && (400..500).contains(&status);
        if !said && !passed_over {
            odd.push((method, path.chars().take(60).collect::<String>(), headers, status, code));
        }
    }
    assert!(odd.is_empty(), "{odd:#?}");
    assert_eq!(lake.get("main/a").await, "body");
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn buckets_of_the_local_store_are_no_repositories() {
    let lake = Lake::start().await;
    let local = Signed::new(&lake.server, "GET", "/braid.local/lake/_lakefs/dummy");
    let (status, code) = local.answer("").await;
    assert_eq!((status, code.as_str()), (StatusCode::NOT_FOUND, "NoSuchBucket"));
    lake.server.stop().await.unwrap();
}
