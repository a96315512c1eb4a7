//! What operations cost, in reads of the stores.

use std::sync::atomic::Ordering;

use super::lake::*;
use crate::{ListRequest, Listing, PageRequest, ResetScope};

struct Cost {
    gets: u64,
    scans: u64,
    rows: u64,
    mutations: u64,
    metaranges: u64,
    ranges: u64,
}

fn take(lake: &Lake) -> Cost {
    let counters = &lake.world.counters;
    Cost {
        gets: counters.gets.swap(0, Ordering::Relaxed),
        scans: counters.scans.swap(0, Ordering::Relaxed),
        rows: counters.rows.swap(0, Ordering::Relaxed),
        mutations: counters.mutations.swap(0, Ordering::Relaxed),
        metaranges: counters.metaranges.swap(0, Ordering::Relaxed),
        ranges: counters.ranges.swap(0, Ordering::Relaxed),
    }
}

async fn filled() -> Lake {
    let lake = Lake::new().await;
    for number in 0..100 {
        lake.put("main", &format!("{number:03}"), "1").await;
    }
    lake.commit("main").await;
    lake
}

#[tokio::test]
async fn a_point_read_of_committed_data_opens_a_metarange_an_index_and_a_block_and_scans_nothing() {
    let lake = filled().await;
    for at in ["main@", "main"] {
        take(&lake);
        assert_eq!(lake.get(at, "050").await.as_deref(), Some("1"));
        let cost = take(&lake);
        // Of the range its index and one block; this store opens the range for each.
        assert_eq!((cost.scans, cost.metaranges, cost.ranges), (0, 1, 2), "{at}");
        assert!(cost.gets <= 4, "{at}: {} gets", cost.gets);
    }
    assert_eq!(lake.get("main", "absent").await, None);
    let cost = take(&lake);
    assert_eq!((cost.scans, cost.metaranges), (0, 1));
    assert!(cost.ranges <= 2);
}

#[tokio::test]
async fn a_put_opens_no_range_and_scans_nothing() {
    let lake = filled().await;
    take(&lake);
    lake.put("main", "new", "1").await;
    let cost = take(&lake);
    assert_eq!((cost.gets, cost.scans, cost.metaranges, cost.ranges), (1, 0, 0, 0));
}

#[tokio::test]
async fn a_batch_reads_once_however_many_of_its_operations_look_first() {
    let lake = filled().await;
    lake.stage("main", &[put("a/1", "1"), put("a/2", "1")]).await.unwrap();
    take(&lake);
    let batch = [delete("a/1"), put_if_absent("a/3", "1"), delete("a/2"), put_if_absent("a/4", "2")];
    lake.stage("main", &batch).await.unwrap();
    let cost = take(&lake);
    assert_eq!(cost.gets, 1);
    assert_eq!(lake.get("main", "a/4").await.as_deref(), Some("2"));
    assert_eq!(lake.get("main", "a/2").await, None);
}

#[tokio::test]
async fn what_was_seen_of_a_branch_may_be_old() {
    let lake = filled().await;
    let other = lake.restarted();
    lake.put("main", "050", "2").await;
    // The other process seals layers that this one has seen, and makes a branch of the same name anew.
    other.commit("main").await;
    assert_eq!(lake.get("main", "050").await.as_deref(), Some("2"));
    other.put("main", "050", "3").await;
    other.commit("main").await;
    lake.put("main", "051", "2").await;
    assert_eq!(lake.get("main", "050").await.as_deref(), Some("3"));
    lake.branch("b", "main").await;
    lake.put("b", "050", "b").await;
    other.catalog.delete_branch(&repo(), &branch("b"), &other.mutation()).await.unwrap();
    other.branch("b", "main@").await;
    lake.put("b", "052", "b").await;
    assert_eq!(lake.get("b", "050").await.as_deref(), Some("3"));
    assert_eq!(lake.get("b", "052").await.as_deref(), Some("b"));
    take(&lake);
    assert_eq!(lake.get("b", "052").await.as_deref(), Some("b"));
    assert_eq!(take(&lake).gets, 1);
}

#[tokio::test]
async fn a_staged_read_opens_no_range() {
    let lake = filled().await;
    lake.put("main", "050", "2").await;
    take(&lake);
    assert_eq!(lake.get("main", "050").await.as_deref(), Some("2"));
    let cost = take(&lake);
    assert_eq!((cost.gets, cost.scans, cost.metaranges, cost.ranges), (1, 0, 0, 0));
}

#[tokio::test]
async fn a_sum_reads_the_edges_of_a_prefix_and_what_is_staged_under_it() {
    let lake = filled().await;
    let sum = async |at: &str, prefix: &str| {
        let prefix = braid_types::PathPrefix::new(prefix).unwrap();
        take(&lake);
        let usage = lake.catalog.usage(&repo(), &expr(at), &prefix).await.unwrap();
        (usage.entries, take(&lake))
    };
    let (entries, all) = sum("main@", "").await;
    assert_eq!((entries, all.metaranges, all.ranges), (100, 1, 0), "descriptors tell it");
    let (entries, some) = sum("main@", "05").await;
    assert_eq!((entries, some.metaranges), (10, 1));
    assert!(some.ranges <= 4, "an index and blocks of two ranges: {}", some.ranges);
    for number in 0..20 {
        lake.put("main", &format!("new/{number}"), "1").await;
    }
    let (entries, staged) = sum("main", "05").await;
    assert_eq!((entries, staged.scans), (10, 1), "of what is staged elsewhere a page is read at most");
    assert!(staged.ranges <= some.ranges);
}

#[tokio::test]
async fn a_chain_of_merges_is_published_in_one_transaction() {
    for count in [1, 8, 64] {
        let lake = filled().await;
        let sides = lake.sides(count).await;
        // Their commits are known, as are the branch's.
        let commits = || lake.world.counters.commits.swap(0, Ordering::Relaxed);
        commits();
        take(&lake);
        assert!(lake.merge_at_once(&sides).await.iter().all(Result::is_ok));
        let (cost, count) = (take(&lake), count as u64);
        assert_eq!(commits(), 1, "{count} merges");
        assert!(cost.scans <= 3, "{count} merges look twice whether the branch is clean: {}", cost.scans);
        assert!(cost.gets <= 5 + count, "{count} merges: {} reads", cost.gets);
    }
}

#[tokio::test]
async fn uncommitted_differences_by_directory_read_only_what_is_staged() {
    let lake = filled().await;
    lake.put("main", "050", "2").await;
    lake.put("main", "d/1", "2").await;
    let query = crate::DiffQuery { delimiter: "/".into(), ..Default::default() };
    take(&lake);
    let differences = lake.catalog.diff_branch(&repo(), &branch("main"), &query).await.unwrap();
    assert_eq!(lines(differences).await, ["~050", "d/ +1 -0 ~0"]);
    let cost = take(&lake);
    assert!(cost.ranges <= 4, "an index and a block for each staged path: {}", cost.ranges);
}

/// A structural change writes every stripe of the fence, the branch, one row of the log and the answer.
#[tokio::test]
async fn a_structural_change_writes_as_much_whatever_it_covers() {
    for count in [33, 1000] {
        let lake = Lake::new().await;
        let few = 3 + u64::from(lake.record_of("main").await.open.lanes);
        assert!(few < 12);
        for is_committed in [true, false] {
            lake.fill("main", "a/", count).await;
            if is_committed {
                lake.commit("main").await;
            }
            take(&lake);
            lake.rename("main", "a/", "b/").await;
            assert_eq!(take(&lake).mutations, few, "{count} moved");
            lake.erase("main", "b/").await;
            assert_eq!(take(&lake).mutations, few, "{count} deleted");
            lake.reset("main", ResetScope::Prefix(prefix("a/"))).await;
            assert_eq!(take(&lake).mutations, few, "{count} reset");
        }
    }
}

async fn pages(lake: &Lake, delimiter: &str) -> (Cost, Vec<String>) {
    take(lake);
    let list = ListRequest { delimiter: delimiter.into(), ..ListRequest::default() };
    let page =
        lake.catalog.list_objects(&repo(), &expr("main"), &list, &PageRequest::default()).await.unwrap();
    let name = |listing: Listing| match listing {
        Listing::Object(object) => object.path.to_string(),
        Listing::CommonPrefix(prefix) => prefix,
    };
    (take(lake), page.items.into_iter().map(name).collect())
}

/// A page begins before a directory and ends after it.
#[tokio::test]
async fn a_page_over_what_was_deleted_costs_at_most_twice_as_much_as_one_without_it() {
    const ERASED: usize = 20_000;
    // Each is looked up before it is deleted, in a store that keeps nothing in memory.
    const SINGLE: usize = 1_500;
    let plain = Lake::new().await;
    let erased = Lake::new().await;
    let single = Lake::new().await;
    for lake in [&plain, &erased, &single] {
        lake.fill("main", "a/", 700).await;
        lake.fill("main", "z/", 700).await;
    }
    erased.fill("main", "m/", ERASED).await;
    single.fill("main", "m/", SINGLE).await;
    for lake in [&plain, &erased, &single] {
        lake.commit("main").await;
        lake.put("main", "z/1", "2").await;
    }
    erased.erase("main", "m/").await;
    let deletes: Vec<_> = (0..SINGLE).map(|at| delete(&format!("m/{at:02}"))).collect();
    single.stage("main", &deletes).await.unwrap();
    single.seal("main").await;
    assert!(single.flatten("main").await);
    for delimiter in ["", "/"] {
        let (without, expected) = pages(&plain, delimiter).await;
        for (name, lake) in [("rm -r", &erased), ("single deletes", &single)] {
            let (cost, listed) = pages(lake, delimiter).await;
            assert_eq!(listed, expected);
            let of = |cost: &Cost| (cost.metaranges, cost.ranges, cost.scans + cost.rows);
            let (found, most) = (of(&cost), of(&without));
            println!("{name} {delimiter:?}: {found:?}, without it {most:?}");
            assert!(
                found.0 <= 2 * most.0 && found.1 <= 2 * most.1 && found.2 <= 2 * most.2 + 8,
                "{name}: {found:?}"
            );
        }
    }
}
