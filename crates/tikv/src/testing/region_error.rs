//! Region errors, those that follow from the map and those that a test asks for.

use bytes::Bytes;

use super::convert;
use super::fault::RegionFault;
use super::regions::{Address, Misaddressed, Region, Regions};
use crate::proto::errorpb::{
    BucketVersionNotMatch, DataIsNotReady, DiskFull, EpochNotMatch, Error, FlashbackInProgress,
    FlashbackNotPrepared, IsWitness, KeyNotInRegion, MaxTimestampNotSynced, MismatchPeerId, NotLeader,
    ProposalInMergingMode, RaftEntryTooLarge, ReadIndexNotReady, RecoveryInProgress, RegionNotFound,
    RegionNotInitialized, ServerIsBusy, StaleCommand, StoreNotMatch, UndeterminedResult,
};

/// The error for a request that the map refuses.
pub(super) fn of_map(misaddressed: Misaddressed, store: u64, address: Address) -> Error {
    let region_id = address.region;
    match misaddressed {
        Misaddressed::StoreNotMatch => store_not_match(store, address),
        Misaddressed::RegionNotFound => region_not_found(region_id),
        Misaddressed::NotLeader(leader) => Error {
            message: format!("peer is not leader of region {region_id}"),
            not_leader: Some(NotLeader { region_id, leader: leader.map(convert::peer) }),
            ..Default::default()
        },
        Misaddressed::MismatchPeerId(peer) => mismatch_peer_id(address, peer.id),
        Misaddressed::EpochNotMatch(regions) => epoch_not_match(region_id, &regions),
    }
}

/// The error for a key that lies outside of the request's region.
pub(super) fn key_not_in_region(key: &Bytes, region: &Region) -> Error {
    Error {
        message: format!("key {key:?} is not in region {}", region.id),
        key_not_in_region: Some(KeyNotInRegion {
            key: convert::bound(key),
            region_id: region.id,
            start_key: convert::bound(&region.start),
            end_key: convert::bound(&region.end),
        }),
        ..Default::default()
    }
}

/// The error for a write of `size` bytes, which is too much for one.
pub(super) fn raft_entry_too_large(region_id: u64, size: usize) -> Error {
    Error {
        message: format!("raft entry of {size} bytes is too large"),
        raft_entry_too_large: Some(RaftEntryTooLarge { region_id, entry_size: size as u64 }),
        ..Default::default()
    }
}

/// The error that a test asks for, as a store would put it.
pub(super) fn of_fault(
    fault: &RegionFault,
    regions: &Regions,
    store: u64,
    address: Address,
    key: &Bytes,
) -> Error {
    let region_id = address.region;
    let region = regions.by_id(region_id).unwrap_or_else(|| regions.of(key));
    let mut error = Error { message: format!("injected: {fault:?}"), ..Default::default() };
    match *fault {
        RegionFault::NotLeader { hint } => {
            let leader = region.leader().filter(|_| hint).map(convert::peer);
            error.not_leader = Some(NotLeader { region_id, leader });
        }
        RegionFault::EpochNotMatch { current } => {
            let current = if current { std::slice::from_ref(region) } else { &[] };
            return epoch_not_match(region_id, current);
        }
        RegionFault::RegionNotFound => return region_not_found(region_id),
        RegionFault::ServerIsBusy { backoff_ms } => {
            let reason = "injected".to_owned();
            error.server_is_busy = Some(ServerIsBusy { reason, backoff_ms, ..Default::default() });
        }
        RegionFault::StaleCommand => error.stale_command = Some(StaleCommand {}),
        RegionFault::StoreNotMatch => return store_not_match(store, address),
        RegionFault::KeyNotInRegion => return key_not_in_region(key, region),
        RegionFault::RaftEntryTooLarge => return raft_entry_too_large(region_id, 0),
        RegionFault::MaxTimestampNotSynced => {
            error.max_timestamp_not_synced = Some(MaxTimestampNotSynced {});
        }
        RegionFault::ReadIndexNotReady => {
            let reason = "injected".to_owned();
            error.read_index_not_ready = Some(ReadIndexNotReady { reason, region_id });
        }
        RegionFault::ProposalInMergingMode => {
            error.proposal_in_merging_mode = Some(ProposalInMergingMode { region_id });
        }
        RegionFault::DataIsNotReady => {
            let data_is_not_ready = DataIsNotReady { region_id, peer_id: address.peer, safe_ts: 0 };
            error.data_is_not_ready = Some(data_is_not_ready);
        }
        RegionFault::RegionNotInitialized => {
            error.region_not_initialized = Some(RegionNotInitialized { region_id });
        }
        RegionFault::DiskFull => {
            let reason = "injected".to_owned();
            error.disk_full = Some(DiskFull { store_id: vec![store], reason });
        }
        RegionFault::RecoveryInProgress => {
            error.recovery_in_progress = Some(RecoveryInProgress { region_id });
        }
        RegionFault::FlashbackInProgress => {
            error.flashback_in_progress = Some(FlashbackInProgress { region_id, flashback_start_ts: 0 });
        }
        RegionFault::FlashbackNotPrepared => {
            error.flashback_not_prepared = Some(FlashbackNotPrepared { region_id });
        }
        RegionFault::IsWitness => error.is_witness = Some(IsWitness { region_id }),
        RegionFault::MismatchPeerId => return mismatch_peer_id(address, address.peer.wrapping_add(1)),
        RegionFault::BucketVersionNotMatch => {
            error.bucket_version_not_match = Some(BucketVersionNotMatch::default());
        }
        RegionFault::UndeterminedResult { .. } => {
            error.undetermined_result = Some(UndeterminedResult { message: "injected".to_owned() });
        }
    }
    error
}

fn store_not_match(store: u64, address: Address) -> Error {
    Error {
        message: format!("store {store} is not the store {} of the request", address.store),
        store_not_match: Some(StoreNotMatch { request_store_id: address.store, actual_store_id: store }),
        ..Default::default()
    }
}

fn region_not_found(region_id: u64) -> Error {
    Error {
        message: format!("region {region_id} is not here"),
        region_not_found: Some(RegionNotFound { region_id }),
        ..Default::default()
    }
}

fn mismatch_peer_id(address: Address, store_peer_id: u64) -> Error {
    Error {
        message: format!("peer {} is not here", address.peer),
        mismatch_peer_id: Some(MismatchPeerId { request_peer_id: address.peer, store_peer_id }),
        ..Default::default()
    }
}

fn epoch_not_match(region_id: u64, current: &[Region]) -> Error {
    let current_regions = current.iter().map(convert::region).collect();
    Error {
        message: format!("the epoch of region {region_id} is another"),
        epoch_not_match: Some(EpochNotMatch { current_regions }),
        ..Default::default()
    }
}
