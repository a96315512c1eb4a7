use std::time::Duration;

use tonic::Code;

use super::*;
use crate::testing::{Call, Effect, Filter, RegionFault, When};

#[tokio::test]
async fn each_region_error_is_alone_and_nothing_is_done() {
    let world = World::of_two_regions().await;
    let undetermined = RegionFault::UndeterminedResult { applied: false };
    let faults = [
        RegionFault::NotLeader { hint: true },
        RegionFault::NotLeader { hint: false },
        RegionFault::EpochNotMatch { current: true },
        RegionFault::EpochNotMatch { current: false },
        RegionFault::RegionNotFound,
        RegionFault::ServerIsBusy { backoff_ms: 3 },
        RegionFault::StaleCommand,
        RegionFault::StoreNotMatch,
        RegionFault::KeyNotInRegion,
        RegionFault::RaftEntryTooLarge,
        RegionFault::MaxTimestampNotSynced,
        RegionFault::ReadIndexNotReady,
        RegionFault::ProposalInMergingMode,
        RegionFault::DataIsNotReady,
        RegionFault::RegionNotInitialized,
        RegionFault::DiskFull,
        RegionFault::RecoveryInProgress,
        RegionFault::FlashbackInProgress,
        RegionFault::FlashbackNotPrepared,
        RegionFault::IsWitness,
        RegionFault::MismatchPeerId,
        RegionFault::BucketVersionNotMatch,
        undetermined,
    ];
    for fault in faults {
        world.cluster.inject(Filter::on(Call::KvPrewrite).times(1), Effect::Region(fault.clone()));
        let answer = world.prewrite("a", 10).await.unwrap();
        assert_eq!(answer.errors, []);
        let error = answer.region_error.unwrap();
        let kinds = [
            error.not_leader.is_some(),
            error.epoch_not_match.is_some(),
            error.region_not_found.is_some(),
            error.server_is_busy.is_some(),
            error.stale_command.is_some(),
            error.store_not_match.is_some(),
            error.key_not_in_region.is_some(),
            error.raft_entry_too_large.is_some(),
            error.max_timestamp_not_synced.is_some(),
            error.read_index_not_ready.is_some(),
            error.proposal_in_merging_mode.is_some(),
            error.data_is_not_ready.is_some(),
            error.region_not_initialized.is_some(),
            error.disk_full.is_some(),
            error.recovery_in_progress.is_some(),
            error.flashback_in_progress.is_some(),
            error.flashback_not_prepared.is_some(),
            error.is_witness.is_some(),
            error.mismatch_peer_id.is_some(),
            error.bucket_version_not_match.is_some(),
            error.undetermined_result.is_some(),
        ];
        assert_eq!(kinds.iter().filter(|&&kind| kind).count(), 1, "{fault:?}");
        let told = error.not_leader.is_some_and(|error| error.leader.is_some())
            || error.epoch_not_match.is_some_and(|error| !error.current_regions.is_empty());
        let tells = matches!(
            fault,
            RegionFault::NotLeader { hint: true } | RegionFault::EpochNotMatch { current: true }
        );
        assert_eq!(told, tells, "{fault:?}");
    }
    assert_eq!(world.cluster.locks(), []);
}

#[tokio::test]
async fn a_lost_request_is_not_done_and_a_lost_reply_is() {
    let world = World::of_two_regions().await;
    world.cluster.inject(Filter::on(Call::KvPrewrite).times(1), Effect::LoseRequest);
    assert_eq!(world.prewrite("a", 10).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(world.cluster.locks(), []);
    let lost = world.cluster.inject(Filter::on(Call::KvPrewrite), Effect::LoseReply);
    assert_eq!(world.prewrite("a", 10).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(world.cluster.locks().len(), 1);
    world.cluster.withdraw(&lost);
    world.prewrite("a", 10).await.unwrap();
    assert_eq!((lost.met(), world.cluster.count(Call::KvPrewrite)), (1, 3));
    assert_eq!(world.cluster.take_counts().of(Call::KvPrewrite), 3);
    assert_eq!(world.cluster.counts().total(), 0);
}

#[tokio::test]
async fn an_undetermined_result_can_be_either() {
    let world = World::of_two_regions().await;
    let fault = RegionFault::UndeterminedResult { applied: true };
    world.cluster.inject(Filter::on(Call::KvPrewrite).times(1), Effect::Region(fault));
    let answer = world.prewrite("a", 10).await.unwrap();
    assert!(answer.region_error.unwrap().undetermined_result.is_some());
    assert_eq!(world.cluster.locks().len(), 1);
}

#[tokio::test]
async fn a_swallowed_reply_never_comes() {
    let world = World::of_two_regions().await;
    world.cluster.inject(Filter::on(Call::KvPrewrite).times(1), Effect::SwallowReply);
    let mut store = world.leader("a").await;
    let mut request =
        tonic::Request::new(PrewriteRequest { context: world.context("a").await, ..put("a", 10) });
    request.set_timeout(Duration::from_millis(50));
    assert!(store.kv_prewrite(request).await.is_err());
    assert_eq!(world.cluster.locks().len(), 1);
}

#[tokio::test]
async fn a_call_is_held_before_or_after_its_work() {
    let world = World::of_two_regions().await;
    let mut before = world.cluster.stop(Filter::on(Call::KvPrewrite).times(1), When::Before);
    let (answer, ()) = tokio::join!(world.prewrite("a", 10), async {
        let held = before.reached().await;
        assert_eq!(world.cluster.locks(), []);
        held.release();
    });
    answer.unwrap();

    let mut after = world.cluster.stop(Filter::on(Call::KvCommit), When::After);
    let (answer, ()) = tokio::join!(world.commit("a", 10, 20), async {
        let held = after.reached().await;
        assert_eq!(world.cluster.value(b"a"), Some("a".into()));
        held.lose();
    });
    assert!(answer.is_err());
    drop(after);
    world.commit("a", 10, 20).await.unwrap();
}

#[tokio::test]
async fn a_held_request_can_be_lost() {
    let world = World::of_two_regions().await;
    let mut stop = world.cluster.stop(Filter::on(Call::KvPrewrite), When::Before);
    let (answer, ()) = tokio::join!(world.prewrite("a", 10), async { stop.reached().await.lose() });
    assert!(answer.is_err());
    assert_eq!(world.cluster.locks(), []);
}

#[tokio::test]
async fn chance_is_drawn_from_the_seed() {
    let draw = async |seed| {
        let world = World::start(Options { seed, ..Options::default() }).await;
        world.cluster.inject(Filter::on(Call::GetMembers).with_chance(0.5), Effect::LoseRequest);
        let mut pd = world.pd().await;
        let mut lost = Vec::new();
        for _ in 0..40 {
            lost.push(pd.get_members(GetMembersRequest::default()).await.is_err());
        }
        lost
    };
    let (one, again, other) = tokio::join!(draw(1), draw(1), draw(2));
    assert_eq!(one, again);
    assert_ne!(one, other);
}
