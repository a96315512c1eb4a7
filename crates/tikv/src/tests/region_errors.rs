//! Every region error, met by every kind of request.

use super::support::{all, b, client, client_with, get, pairs, put, refused, settings, split_cluster};
use crate::testing::{Call, Effect, Filter, RegionFault};
use crate::{Error, Settings};

/// Errors that pass.
fn passing() -> Vec<RegionFault> {
    use RegionFault::{
        BucketVersionNotMatch, DataIsNotReady, DiskFull, EpochNotMatch, FlashbackInProgress,
        FlashbackNotPrepared, IsWitness, KeyNotInRegion, MaxTimestampNotSynced, MismatchPeerId, NotLeader,
        ProposalInMergingMode, ReadIndexNotReady, RecoveryInProgress, RegionNotFound, RegionNotInitialized,
        ServerIsBusy, StaleCommand, StoreNotMatch, UndeterminedResult,
    };
    vec![
        NotLeader { hint: true },
        NotLeader { hint: false },
        EpochNotMatch { current: true },
        EpochNotMatch { current: false },
        RegionNotFound,
        ServerIsBusy { backoff_ms: 2 },
        StaleCommand,
        StoreNotMatch,
        KeyNotInRegion,
        MaxTimestampNotSynced,
        ReadIndexNotReady,
        ProposalInMergingMode,
        DataIsNotReady,
        RegionNotInitialized,
        DiskFull,
        RecoveryInProgress,
        FlashbackInProgress,
        FlashbackNotPrepared,
        IsWitness,
        MismatchPeerId,
        BucketVersionNotMatch,
        UndeterminedResult { applied: true },
        UndeterminedResult { applied: false },
    ]
}

#[tokio::test(start_paused = true)]
async fn reads_get_over_every_error() {
    for fault in passing() {
        let cluster = split_cluster(&["m"]).await;
        let client = client(&cluster).await;
        put(&client, &[("a", "1"), ("z", "2")]).await;
        for call in [Call::KvGet, Call::KvBatchGet, Call::KvScan] {
            cluster.inject(Filter::on(call).times(3), Effect::Region(fault.clone()));
        }
        let snapshot = client.snapshot().await.unwrap();
        assert_eq!(snapshot.get(b"a").await, Ok(Some(b("1"))), "{fault:?}");
        assert_eq!(
            snapshot.batch_get(&["a", "z"].map(b)).await,
            Ok(vec![Some(b("1")), Some(b("2"))]),
            "{fault:?}"
        );
        assert_eq!(all(&client).await, pairs(&[("a", "1"), ("z", "2")]), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn commits_get_over_every_error() {
    for fault in passing() {
        for one_phase in [true, false] {
            let cluster = split_cluster(&["m"]).await;
            let client = client_with(&cluster, Settings { one_phase, ..settings() }).await;
            let calls = [Call::KvPrewrite, Call::KvCommit, Call::KvResolveLock, Call::KvCheckTxnStatus];
            for call in calls {
                cluster.inject(Filter::on(call).times(3), Effect::Region(fault.clone()));
            }
            put(&client, &[("a", "1"), ("b", "1")]).await;
            put(&client, &[("b", "2"), ("z", "2")]).await;
            assert_eq!(all(&client).await, pairs(&[("a", "1"), ("b", "2"), ("z", "2")]), "{fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn errors_between_the_phases_are_got_over_in_the_background_too() {
    for fault in passing() {
        let cluster = split_cluster(&["m"]).await;
        let client = client(&cluster).await;
        cluster.inject(Filter::on(Call::KvCommit).with_key("z").times(3), Effect::Region(fault.clone()));
        put(&client, &[("a", "1"), ("z", "1")]).await;
        client.close().await;
        assert!(cluster.locks().is_empty(), "{fault:?}");
        assert_eq!(cluster.value(b"z"), Some(b("1")), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_too_large_for_a_store_is_refused_and_leaves_nothing() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    let filter = Filter::on(Call::KvPrewrite).with_key("z");
    cluster.inject(filter, Effect::Region(RegionFault::RaftEntryTooLarge));
    let mut txn = super::support::begin(&client).await;
    txn.put(b("a"), b("1"));
    txn.put(b("z"), b("1"));
    let error = refused(txn).await;
    assert!(
        matches!(&error, Error::Refused { call: "KvPrewrite", reason } if reason.contains("too large")),
        "{error}"
    );
    client.close().await;
    assert!(cluster.locks().is_empty());
    let client = super::support::client(&cluster).await;
    assert_eq!(get(&client, "a").await, None);
}
