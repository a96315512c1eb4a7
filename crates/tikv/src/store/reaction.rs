//! What follows from a region error.

use std::time::Duration;

use crate::patience::Pause;
use crate::proto::errorpb::{self, EpochNotMatch, NotLeader};
use crate::proto::metapb::{self, Peer, RegionEpoch};
use crate::region::{Epoch, Region};

/// What a region error tells of the region's whereabouts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum News {
    /// Nothing.
    None,
    /// Who leads.
    Leader(Peer),
    /// What lies now where the region was.
    Current(Vec<metapb::Region>),
    /// That it is not as it was: PD knows better.
    Stale,
    /// That another store answers at the store's address.
    StoreMoved,
}

/// What follows from a region error.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reaction {
    /// The error's name in metrics and messages.
    pub(super) kind: &'static str,
    pub(super) news: News,
    pub(super) pause: Pause,
    /// Whether the request may have been carried out, or still be: it was handed to the region's peers before the error.
    pub(super) unsure: bool,
}

/// Decides about a region error that a request to `region` met.
pub(super) fn react(error: &errorpb::Error, region: &Region) -> Reaction {
    let sure = |kind, news, pause| Reaction { kind, news, pause, unsure: false };
    if let Some(NotLeader { leader, .. }) = &error.not_leader {
        return match leader.as_ref().filter(|leader| leader.id != 0) {
            Some(leader) => sure("not_leader", News::Leader(*leader), Pause::None),
            None => sure("no_leader", News::Stale, Pause::Growing),
        };
    }
    if let Some(EpochNotMatch { current_regions }) = &error.epoch_not_match {
        let (news, pause) = after_epoch(current_regions, region);
        return sure("epoch_not_match", news, pause);
    }
    if let Some(busy) = &error.server_is_busy {
        let asked = busy.backoff_ms.max(u64::from(busy.estimated_wait_ms));
        // A store cannot make a client sleep for long.
        let least = Duration::from_millis(asked.min(1000));
        return sure("server_is_busy", News::None, Pause::AtLeast(least));
    }
    other(error)
}

fn after_epoch(current: &[metapb::Region], asked: &Region) -> (News, Pause) {
    let epoch = |region: &metapb::Region| {
        let RegionEpoch { conf_ver, version } = region.region_epoch.unwrap_or_default();
        Epoch { version, conf_ver }
    };
    let behind = |region: &metapb::Region| {
        let epoch = epoch(region);
        region.id == asked.id
            && (epoch.version < asked.epoch.version || epoch.conf_ver < asked.epoch.conf_ver)
    };
    if current.is_empty() {
        return (News::Stale, Pause::None);
    }
    // The peer has not heard yet of what this client knows.
    if current.iter().any(behind) {
        return (News::None, Pause::Growing);
    }
    (News::Current(current.to_vec()), Pause::None)
}

/// Errors without particulars.
fn other(error: &errorpb::Error) -> Reaction {
    let sure = |kind, news, pause| Reaction { kind, news, pause, unsure: false };
    let unsure = |kind, news| Reaction { kind, news, pause: Pause::Growing, unsure: true };
    let (grow, stale) = (Pause::Growing, News::Stale);
    match error {
        e if e.region_not_found.is_some() => unsure("region_not_found", stale),
        e if e.stale_command.is_some() => unsure("stale_command", stale),
        e if e.undetermined_result.is_some() => unsure("undetermined_result", News::None),
        e if e.store_not_match.is_some() => sure("store_not_match", News::StoreMoved, grow),
        e if e.key_not_in_region.is_some() => sure("key_not_in_region", stale, grow),
        e if e.mismatch_peer_id.is_some() => sure("mismatch_peer_id", stale, grow),
        e if e.is_witness.is_some() => sure("is_witness", stale, grow),
        e if e.region_not_initialized.is_some() => sure("region_not_initialized", stale, grow),
        e if e.max_timestamp_not_synced.is_some() => sure("max_timestamp_not_synced", News::None, grow),
        e if e.read_index_not_ready.is_some() => sure("read_index_not_ready", News::None, grow),
        e if e.proposal_in_merging_mode.is_some() => sure("proposal_in_merging_mode", News::None, grow),
        e if e.data_is_not_ready.is_some() => sure("data_is_not_ready", News::None, grow),
        e if e.disk_full.is_some() => sure("disk_full", News::None, grow),
        e if e.recovery_in_progress.is_some() => sure("recovery_in_progress", News::None, grow),
        e if e.flashback_in_progress.is_some() => sure("flashback_in_progress", News::None, grow),
        e if e.flashback_not_prepared.is_some() => sure("flashback_not_prepared", News::None, grow),
        e if e.bucket_version_not_match.is_some() => sure("bucket_version_not_match", News::None, grow),
        e if e.raft_entry_too_large.is_some() => sure("raft_entry_too_large", News::None, grow),
        _ => unsure("unknown", stale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::errorpb::{
        BucketVersionNotMatch, DataIsNotReady, DiskFull, Error, FlashbackInProgress, FlashbackNotPrepared,
        IsWitness, KeyNotInRegion, MaxTimestampNotSynced, MismatchPeerId, ProposalInMergingMode,
        RaftEntryTooLarge, ReadIndexNotReady, RecoveryInProgress, RegionNotFound, RegionNotInitialized,
        ServerIsBusy, StaleCommand, StoreNotMatch, UndeterminedResult,
    };

    fn described(version: u64, conf_ver: u64) -> metapb::Region {
        metapb::Region {
            id: 7,
            region_epoch: Some(RegionEpoch { conf_ver, version }),
            peers: vec![Peer { id: 71, store_id: 1, ..Peer::default() }],
            ..metapb::Region::default()
        }
    }

    fn reaction(error: &Error) -> Reaction {
        react(error, &Region::read(described(5, 5), None).unwrap())
    }

    fn epoch(current_regions: Vec<metapb::Region>) -> (News, Pause) {
        let error = Error { epoch_not_match: Some(EpochNotMatch { current_regions }), ..Error::default() };
        let Reaction { news, pause, unsure, .. } = reaction(&error);
        assert!(!unsure);
        (news, pause)
    }

    #[test]
    fn a_hint_is_followed_at_once_and_an_election_waited_for() {
        let leader = Peer { id: 72, store_id: 2, ..Peer::default() };
        let told = |leader| {
            reaction(&Error { not_leader: Some(NotLeader { region_id: 7, leader }), ..Error::default() })
        };
        let hint = told(Some(leader));
        assert_eq!((hint.news, hint.pause, hint.unsure), (News::Leader(leader), Pause::None, false));
        for nobody in [told(None), told(Some(Peer::default()))] {
            assert_eq!((nobody.news, nobody.pause), (News::Stale, Pause::Growing));
        }
    }

    #[test]
    fn what_a_store_says_of_an_epoch_is_learnt_unless_it_is_behind() {
        let newer = vec![described(6, 5)];
        assert_eq!(epoch(newer.clone()), (News::Current(newer), Pause::None));
        assert_eq!(epoch(Vec::new()), (News::Stale, Pause::None));
        assert_eq!(epoch(vec![described(4, 5)]), (News::None, Pause::Growing));
        assert_eq!(epoch(vec![described(5, 4)]), (News::None, Pause::Growing));
    }

    #[test]
    fn a_busy_store_says_how_long_within_reason() {
        let busy = |backoff_ms, estimated_wait_ms| {
            let busy = ServerIsBusy { backoff_ms, estimated_wait_ms, ..ServerIsBusy::default() };
            reaction(&Error { server_is_busy: Some(busy), ..Error::default() }).pause
        };
        assert_eq!(busy(30, 0), Pause::AtLeast(Duration::from_millis(30)));
        assert_eq!(busy(30, 40), Pause::AtLeast(Duration::from_millis(40)));
        assert_eq!(busy(3_600_000, 0), Pause::AtLeast(Duration::from_secs(1)));
    }

    /// Every other kind: what it says of the region, and whether the request may have been carried out.
    #[test]
    fn every_kind_is_told_apart() {
        macro_rules! table {
            ($($field:ident: $kind:ty => $news:ident, $unsure:literal;)*) => {$(
                let error = Error { $field: Some(<$kind>::default()), ..Error::default() };
                let expected =
                    Reaction { kind: stringify!($field), news: News::$news, pause: Pause::Growing, unsure: $unsure };
                assert_eq!(reaction(&error), expected);
            )*};
        }
        table! {
            region_not_found: RegionNotFound => Stale, true;
            stale_command: StaleCommand => Stale, true;
            undetermined_result: UndeterminedResult => None, true;
            store_not_match: StoreNotMatch => StoreMoved, false;
            key_not_in_region: KeyNotInRegion => Stale, false;
            mismatch_peer_id: MismatchPeerId => Stale, false;
            is_witness: IsWitness => Stale, false;
            region_not_initialized: RegionNotInitialized => Stale, false;
            max_timestamp_not_synced: MaxTimestampNotSynced => None, false;
            read_index_not_ready: ReadIndexNotReady => None, false;
            proposal_in_merging_mode: ProposalInMergingMode => None, false;
            data_is_not_ready: DataIsNotReady => None, false;
            disk_full: DiskFull => None, false;
            recovery_in_progress: RecoveryInProgress => None, false;
            flashback_in_progress: FlashbackInProgress => None, false;
            flashback_not_prepared: FlashbackNotPrepared => None, false;
            bucket_version_not_match: BucketVersionNotMatch => None, false;
            raft_entry_too_large: RaftEntryTooLarge => None, false;
        }
        let unknown = Error { message: "new kind".into(), ..Error::default() };
        assert_eq!((reaction(&unknown).kind, reaction(&unknown).unsure), ("unknown", true));
    }
}
