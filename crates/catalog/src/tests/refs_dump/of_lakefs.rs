//! A dump that lakeFS 1.84.0 wrote, and the trees of its commits.
//!
//! ```text
//! created ── first ────────── merge   main, v1
//!              └──── side ─────┘       side
//! ```

use braid_types::{AddressType, MetarangeId};
use bytes::Bytes;

use super::*;

macro_rules! file {
    ($id:literal) => {
        ($id, include_bytes!(concat!("lakefs_1_84/", $id)))
    };
}

/// What was below `_lakefs/`.
const FILES: [(&str, &[u8]); 10] = [
    file!("0a5cb9e0f65f9b5fff6f8925d52f124a70c691e5263386b2c4aabd6a48a7f69f"),
    file!("0c80c0d3d4b754289cf7566aeceae56162e97b94006d00e481caa4676b4447dc"),
    file!("1d6c5d2a7806ca1b94d212d41f9b219899a6ce46e26aeeb9c1459d888799ce8c"),
    file!("3a46182027f01c497bd14c62b6df746e674ee1b6a3e56f41b6d8098661a4d98b"),
    file!("44b6793d4c63eacee182a5c15bcffc8cd915ec68535d26de24f7d748af37bc97"),
    file!("56797dc2d6671e3a42ae5a9cfd5f5ed956d5dd63bcb0f775875f45a6a7fdce6b"),
    file!("8b75b24dcd7066a3fae2dac661f874b9ce32f4de08e01febce959430956bec5d"),
    file!("a2c776251ee2405084638c7df153c87ee6d3b842f9e9b20e648a73eeb66f70ff"),
    file!("eedfbf167a8e9abecf706bf9de0480b1c1bc320e674f506f414120e4024f708d"),
    file!("f381a5c1a520a0d474f594e0c7ce8f219a538bee5c11d305c0883ea4683d3f22"),
];

const CREATED: &str = "8647a6f0a68e650dce8a0648d48b8bebeaaa5a9bf50a3406d4f15a1b8f318abb";
const FIRST: &str = "a045d2b290385006eb162f796424f7281e7f7625ac24c12b0de14595ea0ea2d0";
const SIDE: &str = "ea50e8c5aa3e38a0c24ef1ec92f2b1b5529a82be464c57dfa82c52c856cf730f";
const MERGE: &str = "727678f0e3ec04c91d5a0073d435643fe25e8905827b2d8ebe0687e49940a991";

/// What `lakectl refs-dump` printed.
fn manifest() -> RefsManifest {
    RefsManifest {
        commits: "1d6c5d2a7806ca1b94d212d41f9b219899a6ce46e26aeeb9c1459d888799ce8c".parse().unwrap(),
        branches: "8b75b24dcd7066a3fae2dac661f874b9ce32f4de08e01febce959430956bec5d".parse().unwrap(),
        tags: "44b6793d4c63eacee182a5c15bcffc8cd915ec68535d26de24f7d748af37bc97".parse().unwrap(),
    }
}

async fn opened() -> Lake {
    let lake = Lake::new().await;
    for (id, file) in FILES {
        let id: MetarangeId = id.parse().unwrap();
        lake.world.ranges.set(*id.as_bytes(), Bytes::from_static(file));
    }
    let restored = restored(&lake, request(Some(manifest()))).await.unwrap();
    assert_eq!((restored.counts.commits, restored.counts.branches, restored.counts.tags), (4, 2, 1));
    lake
}

#[tokio::test]
async fn a_repository_of_lakefs_is_opened_as_it_was() {
    let lake = opened().await;
    let (branches, tags, commits) = seen(&lake).await;
    let branches: Vec<_> =
        branches.iter().map(|branch| (branch.name.as_str(), branch.head.to_hex())).collect();
    assert_eq!(branches, [("main", MERGE.to_owned()), ("side", SIDE.to_owned())]);
    assert_eq!((tags[0].name.as_str(), tags[0].commit.to_hex()), ("v1", MERGE.to_owned()));
    let ids: Vec<_> = commits.iter().map(|(id, _)| id.to_hex()).collect();
    assert_eq!(ids, [MERGE, SIDE, FIRST, CREATED]);
    let first = &commits[2].1;
    assert_eq!(
        (first.committer.as_str(), first.message.as_str(), first.time.seconds),
        ("admin", "First", 1_700_000_000)
    );
    assert_eq!(first.metadata, BTreeMap::from([("key".to_owned(), "value".to_owned())]));

    let uploaded = lake.catalog.stat(&repo(), &expr("v1"), &path("a")).await.unwrap().entry;
    assert_eq!((uploaded.size, uploaded.checksum.as_str()), (16, "c4c7e4e25cd911651ee3a25b3fe923b4"));
    assert!(uploaded.address.starts_with("data/"), "{}", uploaded.address);
    let staged = lake.catalog.stat(&repo(), &expr("v1"), &path("b")).await.unwrap().entry;
    assert_eq!(
        (staged.address.as_str(), staged.address_type),
        ("s3://braid.local/outside/1", AddressType::Full)
    );
    assert_eq!((staged.content_type.as_str(), staged.mtime.seconds), ("text/csv", 1_700_000_000));
    let metadata = [("k", "v"), ("empty", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(staged.metadata, BTreeMap::from(metadata));
}

#[tokio::test]
async fn what_lakefs_made_is_gone_on_with_and_dumped_again() {
    let lake = opened().await;
    lake.put("side", "c", "1").await;
    lake.commit("side").await;
    lake.merge("side", "main").await;
    let names: Vec<_> = lake.content("main").await.into_keys().collect();
    assert_eq!(names, ["a", "b", "c"]);
    let mut fsck = lake.catalog.fsck(&repo(), &FsckRequest { reference: None, history: true }).await.unwrap();
    while let Some(event) = fsck.next().await.unwrap() {
        assert!(matches!(event, FsckEvent::Progress(_)), "{event:?}");
    }
    let before = seen(&lake).await;
    let dump = dumped(&lake).await;
    made_again(&lake).await;
    restored(&lake, request(Some(dump.manifest))).await.unwrap();
    assert_eq!(seen(&lake).await, before);
}
