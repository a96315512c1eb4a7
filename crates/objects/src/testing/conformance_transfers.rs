//! What every object store must do with large objects, as tests that any of them can be put to.

/// Makes a test of each part of the suite, on what `$make` answers.
macro_rules! conformance_transfers {
    ($make:path) => {
        $crate::testing::conformance_transfers!($make;
            a_stream_is_an_object, a_stream_of_unknown_length_is_an_object, parts_of_streams_are_read,
            a_source_that_fails_leaves_nothing, a_copy_is_an_object_of_its_own, parts_become_an_object,
            a_part_replaces_its_number, wrong_parts_make_nothing, an_upload_ends_once, parts_can_be_copied,
            parts_are_listed_in_pages, uploads_are_listed_by_key, part_urls_say_what_they_are,
            what_is_no_part_is_refused,
        );
    };
    ($make:path; $($name:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let fixture = $make().await;
                $crate::testing::transfers_suite::$name(&fixture.store).await;
            }
        )+
    };
}
pub(crate) use conformance_transfers;

pub(crate) mod transfers_suite {
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;
    use futures::TryStreamExt;

    use crate::testing::Tracked;
    use crate::{ByteRange, ObjectError, ObjectStore, PartPlace, PutOptions, PutResult, Reading, Source};

    type Store = Arc<dyn ObjectStore>;

    fn content(size: u32) -> Bytes {
        (0..size).map(|i| (i % 251) as u8).collect::<Vec<_>>().into()
    }

    /// The content in chunks of 70,000 bytes.
    fn source(content: &Bytes, length: Option<u64>) -> Source {
        let chunks: Vec<_> = content.chunks(70_000).map(|chunk| Ok(content.slice_ref(chunk))).collect();
        Source::new(futures::stream::iter(chunks), length)
    }

    async fn all(reading: Reading) -> Bytes {
        reading.body.try_collect::<Vec<_>>().await.unwrap().concat().into()
    }

    async fn text(store: &Store, key: &str) -> String {
        String::from_utf8(all(store.read(key, None).await.unwrap()).await.to_vec()).unwrap()
    }

    async fn put(store: &Store, key: &str, body: &'static str) {
        store.put(key, Bytes::from_static(body.as_bytes()), PutOptions::default()).await.unwrap();
    }

    fn place<'a>(key: &'a str, upload: &'a str, number: u16) -> PartPlace<'a> {
        PartPlace { key, upload, number }
    }

    async fn part(store: &Store, key: &str, upload: &str, number: u16, body: &'static str) -> (u16, String) {
        let bytes = Bytes::from_static(body.as_bytes());
        let put = store.put_part(place(key, upload, number), bytes.into()).await.unwrap();
        (number, put.etag)
    }

    async fn start(store: &Store, key: &str) -> String {
        store.start_upload(key, Some("text/plain".to_owned())).await.unwrap()
    }

    /// Of stores that do not keep their objects in memory.
    pub(crate) async fn little_of_a_stream_is_held_at_once(store: &Store) {
        const CHUNK: usize = 256 << 10;
        const CHUNKS: usize = 96;
        let upload = start(store, "parts").await;
        for length in [Some((CHUNKS * CHUNK) as u64), None] {
            let tracked = Arc::new(Tracked::default());
            let source = Source::new(tracked.chunks(CHUNKS, CHUNK), length);
            match length {
                Some(_) => drop(store.put_part(place("parts", &upload, 1), source).await.unwrap()),
                None => drop(store.write("whole", source, None).await.unwrap()),
            }
            assert!(tracked.most() <= 8 << 20, "{} bytes of {length:?}", tracked.most());
        }
        assert_eq!(store.head("whole").await.unwrap().size, (CHUNKS * CHUNK) as u64);
    }

    fn no_upload(key: &str) -> ObjectError {
        ObjectError::NoSuchUpload { key: key.to_owned() }
    }

    pub(crate) async fn a_stream_is_an_object(store: &Store) {
        let content = content(3_000_001);
        let typed = Some("text/plain".to_owned());
        let PutResult { etag } =
            store.write("dir/large", source(&content, Some(3_000_001)), typed).await.unwrap();
        let reading = store.read("dir/large", None).await.unwrap();
        let meta = reading.meta.clone();
        assert_eq!((meta.key.as_str(), meta.size, &meta.etag), ("dir/large", 3_000_001, &etag));
        assert_eq!(meta.content_type.as_deref(), Some("text/plain"));
        assert_eq!(all(reading).await, content);
        assert_eq!(store.head("dir/large").await.unwrap(), meta);
        store.write("dir/large", Bytes::from_static(b"small").into(), None).await.unwrap();
        assert_eq!(text(store, "dir/large").await, "small");
        assert_eq!(store.head("dir/large").await.unwrap().etag, "eb5c1399a871211c7e7ed732d15e3a8b");
    }

    pub(crate) async fn a_stream_of_unknown_length_is_an_object(store: &Store) {
        for size in [0, 5, 20_000_000] {
            let content = content(size);
            store.write("unknown", source(&content, None), None).await.unwrap();
            let reading = store.read("unknown", None).await.unwrap();
            assert_eq!(reading.meta.size, u64::from(size));
            assert_eq!(all(reading).await, content, "{size}");
        }
        assert!(store.list_uploads("", None).await.unwrap().items.is_empty());
    }

    pub(crate) async fn parts_of_streams_are_read(store: &Store) {
        put(store, "key", "0123456789").await;
        for (range, expected) in [
            (ByteRange::Span(2, 5), "234"),
            (ByteRange::Span(8, 100), "89"),
            (ByteRange::From(7), "789"),
            (ByteRange::Last(100), "0123456789"),
        ] {
            let reading = store.read("key", Some(range)).await.unwrap();
            assert_eq!(reading.meta.size, 10);
            assert_eq!(all(reading).await, expected, "{range:?}");
        }
        for range in [ByteRange::Span(10, 11), ByteRange::Span(5, 5), ByteRange::Last(0)] {
            let error = store.read("key", Some(range)).await.unwrap_err();
            assert_eq!(error, ObjectError::InvalidRange { key: "key".to_owned() }, "{range:?}");
        }
        let error = store.read("none", None).await.unwrap_err();
        assert_eq!(error, ObjectError::NotFound { key: "none".to_owned() });
    }

    pub(crate) async fn a_source_that_fails_leaves_nothing(store: &Store) {
        let gone = || Err(io::Error::other("the client is gone"));
        for (length, chunks) in [(Some(3_000_000), 2), (None, 2), (None, 40), (Some(100), 0)] {
            let chunk = (0..chunks).map(|_| Ok(content(500_000)));
            let failing = Source::new(futures::stream::iter(chunk.chain([gone()])), length);
            let error = store.write("key", failing, None).await.unwrap_err();
            assert!(matches!(error, ObjectError::BrokenOff { .. }), "{length:?}: {error}");
            assert!(!error.may_have_happened());
            assert_eq!(error.key(), "key");
        }
        let short = source(&content(1_500_000), Some(1_600_000));
        let error = store.write("key", short, None).await.unwrap_err();
        assert!(matches!(&error, ObjectError::BrokenOff { reason, .. } if reason.contains("1500000 bytes")));
        assert!(store.list("", None, 10).await.unwrap().items.is_empty());
        let upload = start(store, "key").await;
        let failing = Source::new(futures::stream::iter([gone()]), Some(9));
        let error = store.put_part(place("key", &upload, 1), failing).await.unwrap_err();
        assert!(matches!(error, ObjectError::BrokenOff { .. }), "{error}");
        assert!(store.list_parts("key", &upload, 0, 10).await.unwrap().parts.is_empty());
    }

    pub(crate) async fn a_copy_is_an_object_of_its_own(store: &Store) {
        let options = PutOptions { content_type: Some("text/csv".to_owned()), ..PutOptions::default() };
        store.put("from *+%20ü", Bytes::from_static(b"content"), options).await.unwrap();
        let copied = store.copy("from *+%20ü", "to").await.unwrap();
        store.delete("from *+%20ü").await.unwrap();
        let meta = store.head("to").await.unwrap();
        assert_eq!((meta.size, meta.content_type.as_deref()), (7, Some("text/csv")));
        assert_eq!(meta.etag, copied.etag);
        assert_eq!(text(store, "to").await, "content");
        let error = store.copy("none", "to").await.unwrap_err();
        assert_eq!(error, ObjectError::NotFound { key: "none".to_owned() });
    }

    pub(crate) async fn parts_become_an_object(store: &Store) {
        let upload = start(store, "dir/key").await;
        let last = part(store, "dir/key", &upload, 9, "def").await;
        let unused = part(store, "dir/key", &upload, 5, "???").await;
        let first = part(store, "dir/key", &upload, 2, "abc").await;
        assert_ne!(unused.1, first.1);
        assert!(store.list("", None, 10).await.unwrap().items.is_empty());
        let completed = store.complete_upload("dir/key", &upload, &[first, last]).await.unwrap();
        assert_eq!(text(store, "dir/key").await, "abcdef");
        let meta = store.head("dir/key").await.unwrap();
        assert_eq!((meta.size, meta.etag), (6, completed.etag.clone()));
        assert_eq!(meta.content_type.as_deref(), Some("text/plain"));
        assert!(completed.etag.ends_with("-2"), "{}", completed.etag);
        assert!(store.list_uploads("", None).await.unwrap().items.is_empty());
    }

    pub(crate) async fn a_part_replaces_its_number(store: &Store) {
        let upload = start(store, "key").await;
        let old = part(store, "key", &upload, 1, "old").await;
        let new = part(store, "key", &upload, 1, "newer").await;
        let refused = store.complete_upload("key", &upload, &[old]).await.unwrap_err();
        assert!(matches!(refused, ObjectError::InvalidPart { .. }), "{refused}");
        store.complete_upload("key", &upload, &[new]).await.unwrap();
        assert_eq!(text(store, "key").await, "newer");
    }

    pub(crate) async fn wrong_parts_make_nothing(store: &Store) {
        let upload = start(store, "key").await;
        let one = part(store, "key", &upload, 1, "1").await;
        let two = part(store, "key", &upload, 2, "2").await;
        let wrong = [
            vec![one.clone(), (2, "0".repeat(32))],
            vec![two.clone(), one.clone()],
            vec![one.clone(), (3, two.1.clone())],
        ];
        for parts in wrong {
            let error = store.complete_upload("key", &upload, &parts).await.unwrap_err();
            assert!(matches!(error, ObjectError::InvalidPart { .. }), "{parts:?}: {error}");
            assert!(!error.may_have_happened());
        }
        assert!(store.head("key").await.is_err());
        store.complete_upload("key", &upload, &[one, two]).await.unwrap();
    }

    pub(crate) async fn an_upload_ends_once(store: &Store) {
        let (given_up, done) = (start(store, "key").await, start(store, "key").await);
        let part_of_it = part(store, "key", &given_up, 1, "1").await;
        store.abort_upload("key", &given_up).await.unwrap();
        store.abort_upload("key", &given_up).await.unwrap();
        let parts = vec![part(store, "key", &done, 1, "1").await];
        store.complete_upload("key", &done, &parts).await.unwrap();
        for ended in [&given_up, &done] {
            let body = Bytes::from_static(b"late");
            let late = store.put_part(place("key", ended, 1), body.into()).await.unwrap_err();
            assert_eq!(late, no_upload("key"));
            assert_eq!(store.list_parts("key", ended, 0, 9).await.unwrap_err(), no_upload("key"));
            let again = store.complete_upload("key", ended, std::slice::from_ref(&part_of_it)).await;
            assert_eq!(again.unwrap_err(), no_upload("key"));
        }
        assert_eq!(text(store, "key").await, "1");
    }

    pub(crate) async fn parts_can_be_copied(store: &Store) {
        put(store, "from", "0123456789").await;
        let upload = start(store, "key").await;
        let copy = async |number, from: &str, range| {
            store.copy_part(place("key", &upload, number), from, range).await
        };
        let whole = copy(1, "from", None).await.unwrap().etag;
        let some = copy(2, "from", Some(ByteRange::Span(3, 5))).await.unwrap().etag;
        let error = copy(3, "from", Some(ByteRange::From(10))).await.unwrap_err();
        assert_eq!(error, ObjectError::InvalidRange { key: "from".to_owned() });
        let error = copy(3, "none", None).await.unwrap_err();
        assert_eq!(error, ObjectError::NotFound { key: "none".to_owned() });
        store.complete_upload("key", &upload, &[(1, whole), (2, some)]).await.unwrap();
        assert_eq!(text(store, "key").await, "012345678934");
    }

    pub(crate) async fn parts_are_listed_in_pages(store: &Store) {
        let upload = start(store, "key").await;
        for number in [3, 1, 10_000, 2] {
            part(store, "key", &upload, number, "part").await;
        }
        let first = store.list_parts("key", &upload, 0, 3).await.unwrap();
        let numbers = |page: &crate::PartPage| page.parts.iter().map(|part| part.number).collect::<Vec<_>>();
        assert_eq!((numbers(&first), first.more), (vec![1, 2, 3], true));
        let second = store.list_parts("key", &upload, 3, 3).await.unwrap();
        assert_eq!((numbers(&second), second.more), (vec![10_000], false));
        let meta = &first.parts[0];
        assert_eq!((meta.size, meta.last_modified), (4, 1_790_000_000));
        assert_eq!(meta.etag, "f4c9385f1902f7334b00b9b4ecd164de");
    }

    pub(crate) async fn uploads_are_listed_by_key(store: &Store) {
        let mut begun = Vec::new();
        for key in ["b/1", "a", "b/2", "c ü+"] {
            begun.push((key, start(store, key).await));
        }
        begun.sort();
        let page = store.list_uploads("", None).await.unwrap();
        let listed: Vec<(&str, String)> =
            page.items.iter().map(|upload| (upload.key.as_str(), upload.upload.clone())).collect();
        assert_eq!((listed, page.next.clone()), (begun.clone(), None));
        assert_eq!(page.items[0].started, 1_790_000_000);
        let some = store.list_uploads("b/", Some("b/1")).await.unwrap();
        assert_eq!(some.items.len(), 1);
        assert_eq!(some.items[0].key, "b/2");
    }

    pub(crate) async fn part_urls_say_what_they_are(store: &Store) {
        let ttl = Duration::from_secs(60);
        let signed = store.presign_part(place("key", "upload", 7), ttl, Some(5)).await.unwrap();
        assert_eq!((signed.method.as_str(), signed.expires_at), ("PUT", 1_790_000_060));
        assert!(
            signed.url.contains("partNumber=7") && signed.url.contains("uploadId=upload"),
            "{}",
            signed.url
        );
        assert!(signed.headers.is_empty(), "{:?}", signed.headers);
    }

    pub(crate) async fn what_is_no_part_is_refused(store: &Store) {
        let upload = start(store, "key").await;
        for number in [0, 10_001] {
            let body = Bytes::from_static(b"x");
            let at = place("key", &upload, number);
            for error in [
                store.put_part(at, body.into()).await.unwrap_err(),
                store.copy_part(at, "from", None).await.unwrap_err(),
                store.presign_part(at, Duration::from_secs(9), None).await.unwrap_err(),
            ] {
                assert!(matches!(error, ObjectError::InvalidRequest { .. }), "{error}");
            }
        }
    }
}
