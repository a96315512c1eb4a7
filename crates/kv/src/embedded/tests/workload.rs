//! Transactions whose fate can be told from what is found afterwards.

use super::*;
use crate::ScanOptions;
use bytes::Bytes;
use tokio::task::JoinSet;

const WRITERS: usize = 3;
const TURNS: usize = 6;
/// Keys that one transaction writes: it is there wholly, or not at all.
const KEYS: usize = 3;

/// What a transaction was told.
#[derive(Debug)]
pub(super) struct Told {
    name: String,
    outcome: Outcome,
}

/// Runs writers beside each other until each has done its turns or been refused a transaction. Rounds on one store
/// differ in their numbers.
pub(super) async fn run(store: &Embedded, round: usize) -> Vec<Told> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(store.clone(), round, writer));
    }
    writers.join_all().await.into_iter().flatten().collect()
}

async fn write(store: Embedded, round: usize, writer: usize) -> Vec<Told> {
    let mut told = Vec::new();
    for turn in 0..TURNS {
        let Ok(mut txn) = store.begin(Mode::Optimistic).await else { break };
        let name = format!("{round}-{writer}-{turn}");
        for key in 0..KEYS {
            txn.put(key_of(&name, key), Bytes::from(vec![b'v'; 700]));
        }
        // Every writer writes this one too, so that some conflict.
        if turn % 3 == 0 {
            txn.put(Bytes::from_static(b"shared"), Bytes::from(name.clone()));
        }
        let outcome = txn.commit().await;
        told.push(Told { name, outcome });
    }
    told
}

fn key_of(name: &str, key: usize) -> Bytes {
    Bytes::from(format!("{name}/{key}"))
}

/// What is wrong with the store, given what its writers were told before.
pub(super) async fn check(store: &Embedded, told: &[Told]) -> Result<(), String> {
    let snapshot = store.snapshot().await.map_err(|error| error.to_string())?;
    for Told { name, outcome } in told {
        let range = KeyRange::prefix(format!("{name}/").as_bytes());
        let found =
            snapshot.scan(&range, ScanOptions::first(9)).await.map_err(|error| error.to_string())?.len();
        let right = match outcome {
            Outcome::Committed(timestamp) => found == KEYS && *timestamp <= snapshot.timestamp(),
            Outcome::Unknown(_) => found == KEYS || found == 0,
            Outcome::Conflict(_) | Outcome::Refused(_) => found == 0,
        };
        if !right {
            return Err(format!("'{name}' was told {outcome:?}, and {found} of its {KEYS} keys are there"));
        }
    }
    Ok(())
}

/// That the store takes new transactions, with timestamps above all it gave before.
pub(super) async fn assert_writable(store: &Embedded, told: &[Told]) {
    let mut txn = store.begin(Mode::Optimistic).await.unwrap();
    txn.put(Bytes::from_static(b"shared"), Bytes::from_static(b"after"));
    let Outcome::Committed(after) = txn.commit().await else { panic!("the store was opened again") };
    for Told { outcome, .. } in told {
        assert!(
            !matches!(outcome, Outcome::Committed(before) if *before >= after),
            "{outcome:?}, then {after}"
        );
    }
}

/// Whether a transaction was told that.
pub(super) fn any(told: &[Told], matching: impl Fn(&Outcome) -> bool) -> bool {
    told.iter().any(|told| matching(&told.outcome))
}
