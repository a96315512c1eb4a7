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
