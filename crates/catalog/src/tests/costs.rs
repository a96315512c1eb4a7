//! What operations cost, in reads of the stores.

use std::sync::atomic::Ordering;

use super::lake::*;

struct Cost {
    gets: u64,
    scans: u64,
    metaranges: u64,
    ranges: u64,
}

fn take(lake: &Lake) -> Cost {
    let counters = &lake.world.counters;
    Cost {
        gets: counters.gets.swap(0, Ordering::Relaxed),
        scans: counters.scans.swap(0, Ordering::Relaxed),
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
async fn a_point_read_of_committed_data_opens_one_metarange_and_one_range_and_scans_nothing() {
    let lake = filled().await;
    for at in ["main@", "main"] {
        take(&lake);
        assert_eq!(lake.get(at, "050").await.as_deref(), Some("1"));
        let cost = take(&lake);
        assert_eq!((cost.scans, cost.metaranges, cost.ranges), (0, 1, 1), "{at}");
        assert!(cost.gets <= 4, "{at}: {} gets", cost.gets);
    }
    assert_eq!(lake.get("main", "absent").await, None);
    let cost = take(&lake);
    assert_eq!((cost.scans, cost.metaranges), (0, 1));
    assert!(cost.ranges <= 1);
}

#[tokio::test]
async fn a_put_opens_no_range_and_scans_nothing() {
    let lake = filled().await;
    take(&lake);
    lake.put("main", "new", "1").await;
    let cost = take(&lake);
    assert_eq!((cost.scans, cost.metaranges, cost.ranges), (0, 0, 0));
    assert!(cost.gets <= 6, "{} gets", cost.gets);
}

#[tokio::test]
async fn a_staged_read_opens_no_range() {
    let lake = filled().await;
    lake.put("main", "050", "2").await;
    take(&lake);
    assert_eq!(lake.get("main", "050").await.as_deref(), Some("2"));
    let cost = take(&lake);
    assert_eq!((cost.scans, cost.metaranges, cost.ranges), (0, 0, 0));
}
