//! Both clients count on the same keys at the same time, in every way to commit: no count is lost, and none is made up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use braid_tikv::{Client, Mode, Outcome, Settings};
use tikv_client::TransactionClient;

use crate::support::{Way, b, cluster, ours_with, theirs};

/// Two in one region, one in another.
const COUNTERS: [&[&str]; 3] = [&["a"], &["a", "b"], &["a", "x"]];
const ROUNDS: usize = 12;

fn count(value: Option<&[u8]>) -> u64 {
    value.map_or(0, |value| std::str::from_utf8(value).unwrap().parse().unwrap())
}

/// Adds one to each counter; `false`: somebody else was there first.
async fn add_ours(client: &Client, mode: Mode, counters: &[&str]) -> bool {
    let mut txn = client.begin(mode).await.unwrap();
    for counter in counters {
        let value = match mode {
            Mode::Optimistic => txn.get(counter.as_bytes()).await.unwrap(),
            Mode::Pessimistic => {
                let wait = std::time::Duration::from_secs(5);
                let Ok(value) = txn.lock_for_update(counter.as_bytes(), wait).await else { return false };
                value
            }
        };
        txn.put(b(counter), (count(value.as_deref()) + 1).to_string().into());
    }
    match txn.commit().await {
        Outcome::Committed(_) => true,
        Outcome::Conflict(_) => false,
        other => panic!("nothing failed, but {other:?}"),
    }
}

async fn add_theirs(client: &TransactionClient, way: Way, counters: &[&str]) -> bool {
    let mut txn = client.begin_with_options(way.options()).await.unwrap();
    for counter in counters {
        let key = (*counter).to_owned();
        let read = match way {
            Way::Pessimistic => txn.get_for_update(key.clone()).await,
            _ => txn.get(key.clone()).await,
        };
        // It gives up on a lock sooner than we do.
        let Ok(value) = read else {
            let _ = txn.rollback().await;
            return false;
        };
        let next = (count(value.as_deref()) + 1).to_string();
        if txn.put(key, next).await.is_err() {
            let _ = txn.rollback().await;
            return false;
        }
    }
    let committed = txn.commit().await.is_ok();
    if !committed {
        let _ = txn.rollback().await;
    }
    committed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_increments_lose_nothing() {
    let cluster = Arc::new(cluster().await);
    let [one, two, three] = [0; 3].map(|_| Arc::new(AtomicU64::new(0)));
    let added = [one, two, three];
    let mut workers = Vec::new();
    for (mode, one_phase) in [(Mode::Optimistic, true), (Mode::Optimistic, false), (Mode::Pessimistic, false)]
    {
        let settings = Settings { one_phase, ..Settings::default() };
        let (client, added) = (ours_with(&cluster, settings).await, added.clone());
        workers.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                let which = round % COUNTERS.len();
                while !add_ours(&client, mode, COUNTERS[which]).await {}
                added[which].fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for way in Way::ALL {
        let (client, added) = (theirs(&cluster).await, added.clone());
        workers.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                let which = round % COUNTERS.len();
                while !add_theirs(&client, way, COUNTERS[which]).await {}
                added[which].fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    let [alone, near, far] = added.map(|added| added.load(Ordering::Relaxed));
    let reader = ours_with(&cluster, Settings::default()).await;
    let read = reader.snapshot().await.unwrap().batch_get(&["a", "b", "x"].map(b)).await.unwrap();
    let read: Vec<u64> = read.iter().map(|value| count(value.as_deref())).collect();
    assert_eq!(read, [alone + near + far, near, far]);
}
