//! Listings through the SDK.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CommonPrefix, EncodingType, Object};

use super::{refusal, refused};
use crate::PutOptions;
use crate::testing::{BUCKET, Server, clock, serve};

async fn served() -> (Server, Client) {
    let server = serve(clock()).await;
    let store = server.over_s3(clock());
    for key in ["a/1", "a/2", "a/b/3", "a b", "b", "c/", "c/4", "\u{1}", "é/5"] {
        store.put(key, key.to_owned().into(), PutOptions::default()).await.unwrap();
    }
    let sdk = server.sdk();
    (server, sdk)
}

fn names(objects: &[Object], prefixes: &[CommonPrefix]) -> Vec<String> {
    let keys = objects.iter().filter_map(Object::key);
    let prefixes = prefixes.iter().filter_map(CommonPrefix::prefix);
    let mut names: Vec<String> = keys.chain(prefixes).map(str::to_owned).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_delimiter_folds() {
    let (_server, sdk) = served().await;
    let list = sdk.list_objects_v2().bucket(BUCKET).delimiter("/").encoding_type(EncodingType::Url);
    let page = list.send().await.unwrap();
    assert_eq!(page.key_count(), Some(6));
    assert_eq!(names(page.contents(), page.common_prefixes()), ["%01", "%C3%A9/", "a%20b", "a/", "b", "c/"]);
    let inside = sdk.list_objects_v2().bucket(BUCKET).delimiter("/").prefix("a/").send().await.unwrap();
    assert_eq!(names(inside.contents(), &[]), ["a/1", "a/2"]);
    assert_eq!(names(&[], inside.common_prefixes()), ["a/b/"]);
}

#[tokio::test]
async fn folded_pages_go_on_where_they_ended() {
    let (_server, sdk) = served().await;
    let (mut token, mut seen) = (None, Vec::new());
    loop {
        let list = sdk.list_objects_v2().bucket(BUCKET).delimiter("/").max_keys(1);
        let page = list.encoding_type(EncodingType::Url).set_continuation_token(token).send().await.unwrap();
        seen.extend(names(page.contents(), page.common_prefixes()));
        token = page.next_continuation_token().map(str::to_owned);
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["%01", "a%20b", "a/", "b", "c/", "%C3%A9/"]);
}

#[tokio::test]
async fn version_1_pages_by_marker() {
    let (_server, sdk) = served().await;
    let (mut marker, mut seen) = (None, Vec::new());
    loop {
        let list = sdk.list_objects().bucket(BUCKET).delimiter("/").prefix("a").max_keys(1);
        let page = list.set_marker(marker).send().await.unwrap();
        seen.extend(names(page.contents(), page.common_prefixes()));
        marker = page.next_marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["a b", "a/"]);
}

#[tokio::test]
async fn no_lines_and_bad_questions() {
    let (_server, sdk) = served().await;
    let none = sdk.list_objects_v2().bucket(BUCKET).max_keys(0).send().await.unwrap();
    assert_eq!((none.key_count(), none.is_truncated()), (Some(0), Some(false)));
    let negative = sdk.list_objects_v2().bucket(BUCKET).max_keys(-1).send().await;
    assert_eq!(refusal(negative), refused(400, "InvalidArgument"));
    let token = sdk.list_objects_v2().bucket(BUCKET).continuation_token("=?=").send().await;
    assert_eq!(refusal(token), refused(400, "InvalidArgument"));
}
