//! What can be set.

use super::{TikvUri, keys::Keys};
use crate::Limits;
use bytes::Bytes;
use std::time::Duration;

/// All keys of a cluster without keyspaces begin so: it tells them from TiDB's.
const PREFIX: &[u8] = b"B";

/// How a [`Tikv`](super::Tikv) store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TikvSettings {
    /// The largest transaction, and how many at once.
    pub limits: Limits,
    /// See [`Kv::max_snapshot_age`](crate::Kv::max_snapshot_age); less than what the cluster's garbage collection keeps.
    pub max_snapshot_age: Duration,
    /// How long the cluster keeps what is no longer the newest, where [`Kv::collect_garbage`](crate::Kv::collect_garbage) is
    /// called; more than the age of any snapshot. It holds for all of the cluster.
    pub retention: Duration,
    /// How many states are remembered with the time at which they were taken here.
    pub pins: usize,
    /// See [`Kv::lanes`](crate::Kv::lanes). Sealing takes a round trip for each, writers meet where there are fewer lanes
    /// than nodes that write to one branch.
    pub lanes: u16,
}

impl Default for TikvSettings {
    fn default() -> Self {
        // TiKV takes keys of 8 KiB, counted as stored: nine bytes for each eight.
        let limits = Limits { key_length: 6 << 10, ..Limits::default() };
        let (max_snapshot_age, retention) = (Duration::from_secs(600), Duration::from_secs(24 * 3600));
        Self { limits, max_snapshot_age, retention, pins: 1024, lanes: 16 }
    }
}

impl TikvSettings {
    /// What the client is told.
    pub(super) fn client(&self, uri: &TikvUri, keys: &Keys) -> braid_tikv::Settings {
        let security = uri.tls().map(|tls| braid_tikv::Security {
            authorities: tls.authorities.clone(),
            identity: tls
                .identity
                .clone()
                .map(|(certificate, key)| braid_tikv::Identity { certificate, key }),
            server_name: tls.server_name.clone(),
        });
        let Limits { keys: count, bytes, key_length, value_length, .. } = self.limits;
        let key_length = key_length + keys.growth();
        let limits = braid_tikv::Limits { keys: count, bytes, key_length, value_length };
        let keyspace = uri.keyspace().map(str::to_owned);
        // A one-phase commit could else take the very timestamp at which another transaction began before it: the port
        // wants those two to conflict.
        let one_phase_in_real_time = true;
        braid_tikv::Settings {
            keyspace,
            security,
            limits,
            one_phase_in_real_time,
            retention: self.retention.max(self.max_snapshot_age * 2),
            ..braid_tikv::Settings::default()
        }
    }
}

/// Where the keys lie: a keyspace is Braid's alone.
pub(super) fn keys(uri: &TikvUri) -> Keys {
    Keys::under(if uri.keyspace().is_some() { Bytes::new() } else { Bytes::from_static(PREFIX) })
}
