//! Whether an answer is true, by the cluster's own records.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;

use super::support::{all, b, settings};
use crate::testing::{Record, TestCluster};
use crate::{Outcome, Timestamp};

/// What every transaction of these tests writes.
pub(super) const VALUE: &str = "written";

/// Checks the answer to a transaction that wrote [`VALUE`] to `keys`, and that nothing of it is half there. Nothing is
/// wrong with the cluster any more, and the locks' time is over. `None`: nobody heard an answer.
pub(super) async fn check(
    cluster: &TestCluster,
    keys: &[&str],
    start: Timestamp,
    outcome: Option<&Outcome>,
    case: &impl Debug,
) {
    let reader = cluster.client(settings(), 99).await.unwrap();
    let read: BTreeSet<(Bytes, Bytes)> = all(&reader).await.into_iter().collect();
    assert!(cluster.locks().is_empty(), "{case:?}: a reader clears away what is left: {:?}", cluster.locks());
    let records: Vec<Record> = keys.iter().map(|key| cluster.record(key.as_bytes(), start.into())).collect();
    let commit = compare(&records, outcome, case);
    let seen = keys.iter().filter(|key| read.contains(&(b(key), b(VALUE)))).count();
    assert_eq!(
        seen,
        if commit.is_some() { keys.len() } else { 0 },
        "{case:?}: what is read is what is recorded"
    );
}

/// As [`check`], where others have written the keys since: by the records alone.
pub(super) fn check_overwritten(
    cluster: &TestCluster,
    keys: &[&str],
    start: Timestamp,
    outcome: Option<&Outcome>,
    case: &impl Debug,
) {
    let records: Vec<Record> = keys.iter().map(|key| cluster.record(key.as_bytes(), start.into())).collect();
    compare(&records, outcome, case);
}

/// Compares an answer with the records of all keys; returns when the transaction was committed.
fn compare(records: &[Record], outcome: Option<&Outcome>, case: &impl Debug) -> Option<u64> {
    let commits: BTreeSet<Option<u64>> = records.iter().map(committed).collect();
    assert_eq!(commits.len(), 1, "{case:?}: it is half there: {records:?} after {outcome:?}");
    let commit = commits.into_iter().next().flatten();
    match outcome {
        Some(Outcome::Committed(told)) => {
            assert!(commit.is_some_and(|commit| commit <= u64::from(*told)), "{case:?}: {records:?} {told}");
        }
        Some(Outcome::Conflict(_) | Outcome::Refused(_)) => assert_eq!(commit, None, "{case:?}: {outcome:?}"),
        Some(Outcome::Unknown(_)) | None => {}
    }
    commit
}

fn committed(record: &Record) -> Option<u64> {
    match record {
        Record::Committed(commit) => Some(*commit),
        Record::Locked | Record::RolledBack | Record::None => None,
    }
}

/// Longer than any lock of these tests lives.
pub(super) const OVER: Duration = Duration::from_secs(100);
