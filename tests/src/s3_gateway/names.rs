use std::fmt::Write;

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use reqwest::{Method, RequestBuilder};

use super::Lake;
use super::signed::http;
use crate::lake::read;

/// Paths that are hard on URLs, file systems or XML.
fn odd_paths() -> Vec<String> {
    let paths = [
        "a",
        "a/",
        "a/b",
        "a//b",
        "/a",
        "//",
        "a/./b",
        "a/../b",
        "..",
        ".",
        " lead",
        "trail ",
        "sp ace",
        "pl+us",
        "per%cent",
        "per%25cent",
        "%2F",
        "q?m=1&n",
        "hash#tag",
        "quote'\"",
        "<&>",
        "back\\slash",
        "tab\there",
        "emoji-🎏",
        "umlaut-ü",
        "zwj-👩‍🚀",
        "cjk-湖",
        "semi;colon,",
        "~tilde",
        "*star",
        "(paren)",
        "equals=",
        "at@",
        "dollar$",
        "colon:",
    ];
    let mut paths: Vec<String> = paths.map(str::to_owned).to_vec();
    // With the branch and the slash behind it: as long as a key of S3 may be.
    paths.push("湖/".repeat(254) + "abc");
    paths
}

/// A request of REST for the object at this path, every byte of which is encoded.
fn rest(lake: &Lake, method: Method, at: &str, path: &str) -> RequestBuilder {
    let encoded = path.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02X}").unwrap();
        encoded
    });
    let address = lake.server.http_address();
    let url = format!("http://{address}/api/v1/repositories/lake/{at}/main/objects?path={encoded}");
    let key = lake.server.first_key().unwrap();
    http().request(method, url).basic_auth(&key.id, Some(key.secret.expose()))
}

#[tokio::test]
async fn what_rest_wrote_is_found_byte_for_byte_by_all_protocols() {
    let lake = Lake::start().await;
    for path in odd_paths() {
        let answer = rest(&lake, Method::POST, "branches", &path).body(path.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{path:?}: {:?}", answer.text().await);
    }
    for path in odd_paths() {
        let read_back = rest(&lake, Method::GET, "refs", &path).send().await.unwrap().text().await.unwrap();
        assert_eq!(read_back, path);
        assert_eq!(lake.get(&format!("main/{path}")).await, path);
        assert_eq!(read(&lake.grpc, "main", &path).await, path);
    }
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn what_s3_wrote_is_found_byte_for_byte_by_all_protocols() {
    let lake = Lake::start().await;
    for path in odd_paths() {
        let key = format!("main/{path}");
        let put = lake.s3.put_object().bucket("lake").key(&key).body(path.clone().into_bytes().into());
        put.send().await.unwrap_or_else(|error| panic!("{path:?}: {error:?}"));
    }
    for path in odd_paths() {
        assert_eq!(lake.get(&format!("main/{path}")).await, path);
        assert_eq!(read(&lake.grpc, "main", &path).await, path);
        let by_rest = rest(&lake, Method::GET, "refs", &path).send().await.unwrap();
        assert_eq!(by_rest.text().await.unwrap(), path);
    }
    let listed = lake.s3.list_objects_v2().bucket("lake").prefix("main/").send().await.unwrap();
    let mut expected: Vec<String> = odd_paths().into_iter().map(|path| format!("main/{path}")).collect();
    expected.sort();
    let listed: Vec<&str> = listed.contents().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(listed, expected);
    let object = |key: &String| ObjectIdentifier::builder().key(key).build().unwrap();
    let many = Delete::builder().set_objects(Some(expected.iter().map(object).collect())).build().unwrap();
    let done = lake.s3.delete_objects().bucket("lake").delete(many).send().await.unwrap();
    assert!(done.errors().is_empty(), "{:?}", done.errors());
    let left = lake.s3.list_objects_v2().bucket("lake").prefix("main/").send().await.unwrap();
    assert_eq!(left.key_count(), Some(0), "{left:?}");
    lake.server.stop().await.unwrap();
}
