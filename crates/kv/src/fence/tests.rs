//! A fence of which every lane is busy, for the tests of stores that share one.

use super::{Fence, FenceError, Held};
use crate::{Kv, Mode, Outcome, Transaction};
use bytes::Bytes;
use futures::future::join_all;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

const LANES: u16 = 64;

/// Writers that pass through the lanes of a fence, one in each, until it is sealed.
pub(crate) struct Busy {
    nodes: [Arc<dyn Kv>; 2],
    writers: Vec<JoinHandle<()>>,
    passes: Vec<watch::Receiver<u64>>,
}

fn fence() -> Fence {
    Fence::new(Bytes::from_static(b"fence/"), LANES)
}

/// 64 writers over two nodes that share a store, each of which has passed more than once.
pub(crate) async fn busy_lanes(nodes: [Arc<dyn Kv>; 2]) -> Busy {
    let (mut writers, mut passes) = (Vec::new(), Vec::new());
    for lane in 0..LANES {
        let (passed, seen) = watch::channel(0);
        writers.push(tokio::spawn(keep_busy(Arc::clone(&nodes[usize::from(lane) % 2]), lane, passed)));
        passes.push(seen);
    }
    let mut busy = Busy { nodes, writers, passes };
    busy.go_on().await;
    busy
}

async fn keep_busy(store: Arc<dyn Kv>, lane: u16, passed: watch::Sender<u64>) {
    loop {
        let mut txn = store.begin(Mode::Optimistic).await.unwrap();
        match fence().shared(&mut *txn, lane).await {
            Ok(_) => {}
            Err(FenceError::Sealed) => return,
            Err(other) => panic!("{other}"),
        }
        match txn.commit().await {
            Outcome::Committed(_) => passed.send_modify(|passed| *passed += 1),
            // The sealer holds the stripe.
            Outcome::Conflict(_) => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

impl Busy {
    /// Waits until every writer has passed twice more.
    pub(crate) async fn go_on(&mut self) {
        for passes in &mut self.passes {
            let before = *passes.borrow();
            passes.wait_for(|&now| now >= before + 2).await.unwrap();
        }
    }

    /// The fence, held while all lanes are busy: got by the first transaction that asks for it.
    pub(crate) async fn held(&self) -> (Box<dyn Transaction>, Held) {
        let mut txn = self.nodes[0].begin(Mode::Pessimistic).await.unwrap();
        let held = fence().exclusive(&mut *txn, Duration::from_secs(60)).await.unwrap();
        (txn, held)
    }

    /// Seals the fence: its transaction conflicts with nobody, and every writer ends.
    pub(crate) async fn seal(self, (mut txn, held): (Box<dyn Transaction>, Held)) {
        let given = held.numbers_given();
        held.seal(&mut *txn);
        assert!(matches!(txn.commit().await, Outcome::Committed(_)));
        join_all(self.writers).await.into_iter().for_each(|ended| ended.unwrap());
        let passed: u64 = self.passes.iter().map(|passes| *passes.borrow()).sum();
        assert_eq!(passed, given, "the sealer has seen every writer that passed");
    }
}
