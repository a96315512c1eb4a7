//! Sealing while every lane of a branch is busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures::future::join_all;

use super::conditions::operation;
use super::lake::*;
use crate::*;

const WRITERS: usize = 64;

/// What writers have done so far.
struct Writers {
    stop: AtomicBool,
    written: Vec<AtomicU64>,
}

impl Writers {
    fn each(&self) -> impl Iterator<Item = u64> {
        self.written.iter().map(|written| written.load(Ordering::SeqCst))
    }

    /// Waits until each of them has written so much more than `before`.
    async fn go_on(&self, before: &[u64], more: u64) {
        while self.each().zip(before).any(|(now, before)| now < before + more) {
            tokio::task::yield_now().await;
        }
    }

    /// Writes until it is to stop. A transaction on two branches shares no lane with another one of its node, and those of
    /// one node take every lane there is.
    async fn write(self: Arc<Self>, node: Catalog, lake: Arc<Lake>, writer: usize) {
        let written = &self.written[writer];
        while !self.stop.load(Ordering::SeqCst) {
            let at = format!("{writer}/{}", written.load(Ordering::SeqCst));
            let operations = ["main", "side"].map(|on| operation(on, put(&at, "1"))).to_vec();
            let request = ApplyRequest { preconditions: vec![], operations };
            node.apply(&request, &lake.mutation()).await.unwrap();
            written.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealer_gets_its_turn_at_once_among_64_busy_writers_of_two_nodes() {
    let lake = Arc::new(Lake::new().await);
    lake.branch("side", "main").await;
    let lanes = u64::from(lake.record_of("main").await.open.lanes);
    let nodes = [lake.world.catalog(), lake.world.catalog()];
    let written = (0..WRITERS).map(|_| AtomicU64::new(0)).collect();
    let writers = Arc::new(Writers { stop: AtomicBool::new(false), written });
    let busy: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let node = nodes[writer % 2].clone();
            tokio::spawn(Arc::clone(&writers).write(node, Arc::clone(&lake), writer))
        })
        .collect();
    writers.go_on(&[0; WRITERS], 2).await;

    let counters = &lake.world.counters;
    let counted = || (counters.exclusive.load(Ordering::SeqCst), counters.holds.load(Ordering::SeqCst));
    for round in 0..3 {
        let (transactions, holds) = counted();
        lake.seal("main").await;
        // No writer makes a sealer begin again, or ask again for what it has: the record, then each stripe.
        assert_eq!(counted(), (transactions + 1, holds + 1 + lanes), "{round}");
        assert_eq!(lake.record_of("main").await.sealed.len(), round + 1);
        let before: Vec<u64> = writers.each().collect();
        writers.go_on(&before, 1).await;
    }
    writers.stop.store(true, Ordering::SeqCst);
    for ended in join_all(busy).await {
        ended.unwrap();
    }
    let all: u64 = writers.each().sum();
    assert_eq!(lake.content("main").await.len() as u64, all);
    assert_eq!(lake.content("side").await.len() as u64, all);
}
