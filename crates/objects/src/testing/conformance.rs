//! What every object store must do, as tests that any of them can be put to.

use std::any::Any;
use std::sync::Arc;

use crate::ObjectStore;

/// A store under test, and what must live as long.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) _keep: Box<dyn Any + Send>,
}

/// Makes a test of each part of the suite, on what `$make` answers.
macro_rules! conformance {
    ($make:path) => {
        $crate::testing::conformance!($make;
            an_object_reads_back, a_write_replaces, an_empty_object_is_an_object, a_large_object_reads_back,
            ranges_are_clipped, a_missing_object_is_named, deleting_twice_is_deleting,
            a_taken_key_is_not_created, one_of_many_creators_wins, odd_keys_are_unrelated,
            listings_are_in_byte_order, listings_come_in_pages, a_page_begins_after_any_text,
            keys_have_limits, presigned_urls_say_what_they_are, urls_do_not_live_for_ever,
        );
    };
    ($make:path; $($name:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let fixture = $make().await;
                $crate::testing::suite::$name(&fixture.store).await;
            }
        )+
    };
}
pub(crate) use conformance;

pub(crate) mod suite {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use bytes::Bytes;
    use futures::future::join_all;

    use super::Arc;
    use crate::{
        ByteRange, MAX_KEY_BYTES, ObjectError, ObjectStore, PresignGetOptions, PresignPutOptions, PutOptions,
    };

    type Store = Arc<dyn ObjectStore>;

    async fn put(store: &Store, key: &str, body: &'static str) {
        store.put(key, Bytes::from_static(body.as_bytes()), PutOptions::default()).await.unwrap();
    }

    fn not_found(key: &str) -> ObjectError {
        ObjectError::NotFound { key: key.to_owned() }
    }

    /// Keys that are hard on paths, URLs or XML. (One of nothing but blanks is missing: the SDK takes it for none.)
    fn odd_keys() -> Vec<String> {
        let keys = [
            "a",
            "a/",
            "a/b",
            "a//b",
            "a/./b",
            "a/../b",
            "..",
            ".",
            "/",
            "//",
            " lead",
            "trail ",
            "sp ace",
            "pl+us",
            "per%cent",
            "per%25cent",
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
        ];
        let mut keys: Vec<String> = keys.map(str::to_owned).to_vec();
        keys.push("湖/".repeat(250));
        keys
    }

    pub(crate) async fn an_object_reads_back(store: &Store) {
        let options = PutOptions { content_type: Some("text/plain".to_owned()), ..PutOptions::default() };
        let put = store.put("dir/key", Bytes::from_static(b"hello"), options).await.unwrap();
        assert_eq!(store.get("dir/key", None).await.unwrap(), "hello");
        let meta = store.head("dir/key").await.unwrap();
        assert_eq!((meta.key.as_str(), meta.size), ("dir/key", 5));
        assert_eq!(meta.content_type.as_deref(), Some("text/plain"));
        assert_eq!(meta.etag, put.etag);
        assert_eq!(meta.etag, "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(meta.last_modified, 1_790_000_000);
    }

    pub(crate) async fn a_write_replaces(store: &Store) {
        put(store, "key", "one").await;
        put(store, "key", "another").await;
        assert_eq!(store.get("key", None).await.unwrap(), "another");
        assert_eq!(store.head("key").await.unwrap().size, 7);
        assert_eq!(store.list("", None, 10).await.unwrap().items.len(), 1);
    }

    pub(crate) async fn an_empty_object_is_an_object(store: &Store) {
        put(store, "empty", "").await;
        assert_eq!(store.get("empty", None).await.unwrap(), "");
        assert_eq!(store.head("empty").await.unwrap().size, 0);
        for range in [ByteRange::Span(0, 1), ByteRange::From(0), ByteRange::Last(5)] {
            let error = store.get("empty", Some(range)).await.unwrap_err();
            assert_eq!(error, ObjectError::InvalidRange { key: "empty".to_owned() }, "{range:?}");
        }
    }

    pub(crate) async fn a_large_object_reads_back(store: &Store) {
        let body: Bytes = (0..3_000_001_u32).map(|i| (i % 251) as u8).collect::<Vec<_>>().into();
        store.put("large", body.clone(), PutOptions::default()).await.unwrap();
        assert_eq!(store.get("large", None).await.unwrap(), body);
        let part = store.get("large", Some(ByteRange::Span(65_000, 2_200_000))).await.unwrap();
        assert_eq!(part, body.slice(65_000..2_200_000));
    }

    pub(crate) async fn ranges_are_clipped(store: &Store) {
        put(store, "key", "0123456789").await;
        for (range, expected) in [
            (ByteRange::Span(0, 1), "0"),
            (ByteRange::Span(2, 5), "234"),
            (ByteRange::Span(8, 100), "89"),
            (ByteRange::From(7), "789"),
            (ByteRange::Last(3), "789"),
            (ByteRange::Last(100), "0123456789"),
        ] {
            assert_eq!(store.get("key", Some(range)).await.unwrap(), expected, "{range:?}");
        }
        for range in [ByteRange::Span(10, 11), ByteRange::Span(5, 5), ByteRange::From(10), ByteRange::Last(0)]
        {
            let error = store.get("key", Some(range)).await.unwrap_err();
            assert_eq!(error, ObjectError::InvalidRange { key: "key".to_owned() }, "{range:?}");
        }
    }

    pub(crate) async fn a_missing_object_is_named(store: &Store) {
        assert_eq!(store.get("none", None).await.unwrap_err(), not_found("none"));
        assert_eq!(store.get("none", Some(ByteRange::Last(1))).await.unwrap_err(), not_found("none"));
        assert_eq!(store.head("none").await.unwrap_err(), not_found("none"));
        assert!(store.list("", None, 10).await.unwrap().items.is_empty());
    }

    pub(crate) async fn deleting_twice_is_deleting(store: &Store) {
        put(store, "key", "body").await;
        store.delete("key").await.unwrap();
        store.delete("key").await.unwrap();
        assert_eq!(store.get("key", None).await.unwrap_err(), not_found("key"));
        put(store, "key", "again").await;
        assert_eq!(store.get("key", None).await.unwrap(), "again");
    }

    pub(crate) async fn a_taken_key_is_not_created(store: &Store) {
        store.put("key", Bytes::from_static(b"first"), PutOptions::if_absent()).await.unwrap();
        let error =
            store.put("key", Bytes::from_static(b"second"), PutOptions::if_absent()).await.unwrap_err();
        assert_eq!(error, ObjectError::AlreadyExists { key: "key".to_owned() });
        assert!(!error.may_have_happened());
        assert_eq!(store.get("key", None).await.unwrap(), "first");
        store.delete("key").await.unwrap();
        store.put("key", Bytes::from_static(b"third"), PutOptions::if_absent()).await.unwrap();
    }

    pub(crate) async fn one_of_many_creators_wins(store: &Store) {
        let create = |i: usize| async move {
            store.put("contended", Bytes::from(format!("creator {i}")), PutOptions::if_absent()).await
        };
        let outcomes = join_all((0..32).map(create)).await;
        let winners: Vec<usize> = (0..32).filter(|i| outcomes[*i].is_ok()).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert_eq!(error, ObjectError::AlreadyExists { key: "contended".to_owned() });
        }
        let body = store.get("contended", None).await.unwrap();
        assert_eq!(body, format!("creator {}", winners[0]));
    }

    pub(crate) async fn odd_keys_are_unrelated(store: &Store) {
        for key in odd_keys() {
            store.put(&key, Bytes::from(key.clone()), PutOptions::if_absent()).await.unwrap();
        }
        for key in odd_keys() {
            assert_eq!(store.get(&key, None).await.unwrap(), key, "{key:?}");
            assert_eq!(store.head(&key).await.unwrap().key, key);
        }
        store.delete("a").await.unwrap();
        assert_eq!(store.get("a/b", None).await.unwrap(), "a/b");
        assert_eq!(store.get("a", None).await.unwrap_err(), not_found("a"));
    }

    pub(crate) async fn listings_are_in_byte_order(store: &Store) {
        let keys: BTreeSet<String> = odd_keys().into_iter().collect();
        for key in &keys {
            put(store, key, "x").await;
        }
        let page = store.list("", None, 1000).await.unwrap();
        let listed: Vec<&str> = page.items.iter().map(|meta| meta.key.as_str()).collect();
        assert_eq!(listed, keys.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(page.next, None);
        let meta = &page.items[0];
        assert_eq!((meta.size, meta.last_modified), (1, 1_790_000_000));
        assert_eq!(meta.etag, "9dd4e461268c8034f5c8564e155c67a6");
        for prefix in ["a/", "per%", "emoji-🎏", "none"] {
            let page = store.list(prefix, None, 1000).await.unwrap();
            let listed: Vec<String> = page.items.into_iter().map(|meta| meta.key).collect();
            let expected: Vec<String> = keys.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
            assert_eq!(listed, expected, "{prefix}");
        }
    }

    pub(crate) async fn listings_come_in_pages(store: &Store) {
        let keys: BTreeSet<String> = odd_keys().into_iter().collect();
        for key in &keys {
            put(store, key, "x").await;
        }
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let page = store.list("", after.as_deref(), 4).await.unwrap();
            assert!(page.items.len() <= 4);
            listed.extend(page.items.into_iter().map(|meta| meta.key));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed, keys.into_iter().collect::<Vec<_>>());
    }

    pub(crate) async fn a_page_begins_after_any_text(store: &Store) {
        for key in ["a/1", "b/1", "b/2", "c/1"] {
            put(store, key, "x").await;
        }
        for (prefix, after, expected) in [
            ("b/", "a", vec!["b/1", "b/2"]),
            ("b/", "b/1", vec!["b/2"]),
            ("b/", "b/10", vec!["b/2"]),
            ("b/", "b/2", vec![]),
            ("b/", "z", vec![]),
            ("", "b/1zzz", vec!["b/2", "c/1"]),
        ] {
            let page = store.list(prefix, Some(after), 10).await.unwrap();
            let listed: Vec<&str> = page.items.iter().map(|meta| meta.key.as_str()).collect();
            assert_eq!((listed, page.next), (expected, None), "{prefix} after {after}");
        }
    }

    pub(crate) async fn keys_have_limits(store: &Store) {
        for key in [String::new(), "k".repeat(MAX_KEY_BYTES + 1)] {
            let body = Bytes::from_static(b"x");
            for error in [
                store.put(&key, body, PutOptions::default()).await.unwrap_err(),
                store.get(&key, None).await.unwrap_err(),
                store.head(&key).await.unwrap_err(),
                store.delete(&key).await.unwrap_err(),
            ] {
                assert!(matches!(error, ObjectError::InvalidKey { .. }), "{error}");
                assert_eq!(error.key(), key);
            }
        }
    }

    /// For stores that are not under a prefix, whose length counts.
    pub(crate) async fn the_longest_key_is_a_key(store: &Store) {
        let keys = ["k".repeat(MAX_KEY_BYTES), "湖/".repeat(MAX_KEY_BYTES / 4)];
        for key in &keys {
            store.put(key, Bytes::from(key.clone()), PutOptions::if_absent()).await.unwrap();
            assert_eq!(store.get(key, None).await.unwrap(), key);
        }
        let page = store.list("", None, 1000).await.unwrap();
        assert_eq!(page.items.into_iter().map(|meta| meta.key).collect::<Vec<_>>(), keys);
    }

    pub(crate) async fn presigned_urls_say_what_they_are(store: &Store) {
        let ttl = Duration::from_millis(60_900);
        let get = store.presign_get("key", ttl, PresignGetOptions::default()).await.unwrap();
        assert_eq!((get.method.as_str(), get.expires_at), ("GET", 1_790_000_060));
        assert!(get.headers.is_empty(), "{:?}", get.headers);
        let options = PresignPutOptions {
            content_type: Some("text/csv".to_owned()),
            content_length: Some(7),
            if_absent: true,
        };
        let put = store.presign_put("key", ttl, options).await.unwrap();
        assert_eq!((put.method.as_str(), put.expires_at), ("PUT", 1_790_000_060));
        let mut headers = put.headers;
        headers.sort();
        let expected = [("content-type", "text/csv"), ("if-none-match", "*")];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    pub(crate) async fn urls_do_not_live_for_ever(store: &Store) {
        for ttl in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(7 * 86_400 + 1)] {
            let get = store.presign_get("key", ttl, PresignGetOptions::default()).await.unwrap_err();
            let put = store.presign_put("key", ttl, PresignPutOptions::default()).await.unwrap_err();
            for error in [get, put] {
                assert!(matches!(error, ObjectError::InvalidRequest { .. }), "{error}");
            }
        }
    }
}
