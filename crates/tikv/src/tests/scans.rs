//! Ranges, forward and backward, over regions that move under the reader.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::support::{
    b, begin, calls, client, client_with, committed, memory, pairs, put, settings, small_cluster,
    split_cluster,
};
use crate::testing::{Call, Options, TestCluster};
use crate::{KeyRange, ScanOptions, Settings};

#[tokio::test(start_paused = true)]
async fn a_scan_asks_no_region_that_it_does_not_need() {
    let cluster = split_cluster(&["c", "e", "g"]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1"), ("b", "2"), ("c", "3"), ("g", "7"), ("h", "8")]).await;
    let snapshot = client.snapshot().await.unwrap();
    snapshot.scan(&KeyRange::all(), ScanOptions::first(9)).await.unwrap();
    calls(&cluster);
    let first = snapshot.scan(&KeyRange::all(), ScanOptions::first(2)).await.unwrap();
    assert_eq!(first, pairs(&[("a", "1"), ("b", "2")]));
    assert_eq!(calls(&cluster), [(Call::KvScan, 1)]);
    let last = snapshot.scan(&KeyRange::new("", "h"), ScanOptions::last(2).keys_only()).await.unwrap();
    assert_eq!(last, pairs(&[("g", ""), ("c", "")]));
    assert_eq!(calls(&cluster), [(Call::KvScan, 3)]);
    let none = snapshot.scan(&KeyRange::new("c", "c"), ScanOptions::first(2)).await.unwrap();
    assert_eq!((none, calls(&cluster)), (Vec::new(), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_transaction_scans_its_own_writes() {
    let cluster = split_cluster(&["c"]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1"), ("b", "2"), ("c", "3")]).await;
    let mut txn = begin(&client).await;
    txn.delete(b("a"));
    txn.insert(b("aa"), b("new"));
    txn.put(b("c"), b("changed"));
    txn.lock(b("b"));
    let range = KeyRange::all();
    let seen = txn.scan(&range, ScanOptions::first(2)).await.unwrap();
    assert_eq!(seen, pairs(&[("aa", "new"), ("b", "2")]));
    let seen = txn.scan(&range, ScanOptions::last(9)).await.unwrap();
    assert_eq!(seen, pairs(&[("c", "changed"), ("b", "2"), ("aa", "new")]));
    assert_eq!(txn.batch_get(&["a", "aa", "b"].map(b)).await, Ok(vec![None, Some(b("new")), Some(b("2"))]));
    assert_eq!((txn.get(b"a").await, txn.get(b"c").await), (Ok(None), Ok(Some(b("changed")))));
    committed(txn).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_region_is_found_from_behind() {
    let cluster = split_cluster(&["c", "\u{7f}"]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1"), ("c", "3")]).await;
    let mut far = begin(&client).await;
    far.put(Bytes::from(vec![0xFF; 600]), b("far"));
    committed(far).await;
    cluster.split(&[0xFF; 590]);
    let snapshot = client.snapshot().await.unwrap();
    let last = snapshot.scan(&KeyRange::all(), ScanOptions::last(2)).await.unwrap();
    assert_eq!(last.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>(), [b("far"), b("3")]);
}

/// Readers page through a range while its regions split, merge and move: each sees every pair once.
#[tokio::test(start_paused = true)]
async fn pages_are_whole_while_regions_change_under_them() {
    let cluster = TestCluster::start(Options { stores: 3, ..memory() }).await.unwrap();
    let client = client_with(&cluster, Settings { scan_page: 4, ..settings() }).await;
    let names: Vec<String> = (0..60).map(|n| format!("k{n:02}")).collect();
    let written: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    put(&client, &written).await;
    let expected = pairs(&written);
    for round in 0..20 {
        let key = |n: usize| names[n * 7 % 60].as_bytes();
        cluster.split(key(round));
        cluster.split(key(round + 3));
        let snapshot = client.snapshot().await.unwrap();
        let (reverse, whole) = (round % 2 == 1, KeyRange::all());
        let options = ScanOptions { limit: usize::MAX, reverse, keys_only: false };
        let scan = snapshot.scan(&whole, options);
        let change = async {
            for step in 0..6 {
                tokio::task::yield_now().await;
                cluster.move_leader(key(round + step), Some(1 + (round + step) as u64 % 3));
                cluster.split(key(round + 2 * step));
                cluster.merge(key(round + 3 * step));
            }
        };
        let (seen, ()) = tokio::join!(scan, change);
        let mut seen = seen.unwrap();
        if reverse {
            seen.reverse();
        }
        assert_eq!(seen, expected, "round {round}");
    }
}

fn key(n: u8) -> Bytes {
    Bytes::copy_from_slice(&[b'k', n][..1 + usize::from(n > 0)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_is_the_range_of_the_state(
        state in btree_map(0..20u8, 0..3u8, 0..20),
        splits in vec(1..20u8, 0..5),
        scans in vec((0..20u8, 0..22u8, 0..9usize, any::<bool>(), any::<bool>()), 1..8),
        page in 1..5u32,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let cluster = small_cluster().await;
            splits.iter().for_each(|&n| cluster.split(&key(n)));
            let client = client_with(&cluster, Settings { scan_page: page, ..settings() }).await;
            let state: BTreeMap<Bytes, Bytes> = state.iter().map(|(&n, &v)| (key(n), vec![v].into())).collect();
            if !state.is_empty() {
                let mut txn = begin(&client).await;
                state.iter().for_each(|(key, value)| txn.put(key.clone(), value.clone()));
                committed(txn).await;
            }
            let snapshot = client.snapshot().await.unwrap();
            for &(start, end, limit, reverse, keys_only) in &scans {
                let end = if end == 21 { Bytes::new() } else { key(end) };
                let range = KeyRange::new(key(start), end);
                let pairs = state.iter().filter(|(key, _)| range.contains(key));
                let pair = |(key, value): (&Bytes, &Bytes)| (key.clone(), if keys_only { Bytes::new() } else { value.clone() });
                let expected: Vec<_> = match reverse {
                    false => pairs.map(pair).take(limit).collect(),
                    true => pairs.rev().map(pair).take(limit).collect(),
                };
                let options = ScanOptions { limit, reverse, keys_only };
                assert_eq!(snapshot.scan(&range, options).await.unwrap(), expected, "{range:?} {options:?}");
            }
        });
    }
}
