//! What can be set, and what holds where nothing is: every default is written here and nowhere else.

use std::path::PathBuf;
use std::time::Duration;

use crate::Error;

/// How a client behaves. Every call and every operation has an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The keyspace to work in (API version 2): several installations can share a cluster. None: the whole key space.
    pub keyspace: Option<String>,
    /// Encrypt connections. None: plain text.
    pub security: Option<Security>,

    /// How long connecting to a PD or a store may take.
    pub connect_timeout: Duration,
    /// A connection on which nothing was heard for so long is asked whether it lives.
    pub keep_alive_interval: Duration,
    /// How long the answer to that may take.
    pub keep_alive_timeout: Duration,
    /// How long one call to a store may take.
    pub call_timeout: Duration,
    /// How long one call to PD may take, and one answer with timestamps.
    pub pd_timeout: Duration,
    /// The longest answer accepted, in bytes.
    pub answer_bytes: usize,

    /// How long a read (a get, a batch of them, a scan) may take with all that it meets: failures, elections, locks.
    pub read_deadline: Duration,
    /// How long a commit may take until it is decided, with all that it meets.
    pub commit_deadline: Duration,
    /// How long it is tried to clean up after a commit: second phases, rollbacks. What is left then is resolved by whoever
    /// meets it.
    pub cleanup_deadline: Duration,
    /// The pause after a failure; it doubles with each further one of the same operation, and half of it is random.
    pub backoff_base: Duration,
    /// The longest such pause.
    pub backoff_cap: Duration,

    /// How long a lock outlives the last sign of life of its transaction.
    pub lock_ttl: Duration,
    /// How long a commit waits for a living lock of another transaction before it gives up as a conflict.
    pub commit_lock_wait: Duration,
    /// No write is sent for a transaction older than this.
    pub transaction_age: Duration,
    /// How long stores keep what is no longer the newest, where this client collects garbage.
    pub retention: Duration,
    /// Commit in one phase where one request holds everything.
    pub one_phase: bool,
    /// Have one-phase commits ordered with all others by real time, at the price of one more timestamp. Without it the
    /// order holds wherever one transaction began after the other was acknowledged.
    pub one_phase_in_real_time: bool,
    /// The largest transaction.
    pub limits: Limits,

    /// How many requests one operation has under way at once.
    pub concurrency: usize,
    /// How many look-ups of regions are under way at once.
    pub region_lookups: usize,
    /// How many regions are remembered.
    pub regions: usize,
    /// How many keys one request of a scan asks for.
    pub scan_page: u32,
    /// How many keys one request reads.
    pub get_batch: usize,
    /// How many bytes of keys and values one request writes, unless a single key has more. A transaction that fits in one
    /// such request, and one region, is committed in one phase.
    pub write_batch_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keyspace: None,
            security: None,
            connect_timeout: Duration::from_secs(3),
            keep_alive_interval: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(3),
            call_timeout: Duration::from_secs(5),
            pd_timeout: Duration::from_secs(3),
            answer_bytes: 64 << 20,
            // An election takes 10 to 20 seconds with TiKV's defaults.
            read_deadline: Duration::from_secs(25),
            commit_deadline: Duration::from_secs(40),
            cleanup_deadline: Duration::from_secs(30),
            backoff_base: Duration::from_millis(2),
            backoff_cap: Duration::from_millis(500),
            lock_ttl: Duration::from_secs(3),
            commit_lock_wait: Duration::from_secs(2),
            transaction_age: Duration::from_secs(60),
            retention: Duration::from_secs(24 * 60 * 60),
            one_phase: true,
            one_phase_in_real_time: false,
            limits: Limits::default(),
            concurrency: 16,
            region_lookups: 16,
            regions: 1 << 16,
            scan_page: 512,
            get_batch: 256,
            write_batch_bytes: 512 << 10,
        }
    }
}

/// The largest transaction that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Keys written or locked.
    pub keys: usize,
    /// Bytes of all keys and values.
    pub bytes: usize,
    /// Bytes of one key. TiKV takes 8 KiB, counted as stored: nine bytes for each eight.
    pub key_length: usize,
    /// Bytes of one value. TiKV takes 8 MiB for a whole request.
    pub value_length: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { keys: 200_000, bytes: 128 << 20, key_length: 7 << 10, value_length: 4 << 20 }
    }
}

/// Encrypted connections. The files are read again for each new connection, so that certificates can be renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// The authorities that may have signed the servers' certificates, as PEM.
    pub authorities: PathBuf,
    /// Who this client is, where servers want to know.
    pub identity: Option<Identity>,
    /// The name to expect in the servers' certificates, in place of the host that was connected to.
    pub server_name: Option<String>,
}

/// A client's certificate and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, with those that it rests on, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
}

impl Settings {
    /// Refuses what no client can work with.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let counts = [
            ("concurrency", self.concurrency),
            ("region_lookups", self.region_lookups),
            ("regions", self.regions),
            ("scan_page", self.scan_page as usize),
            ("get_batch", self.get_batch),
            ("write_batch_bytes", self.write_batch_bytes),
            ("answer_bytes", self.answer_bytes),
        ];
        let times = [
            ("connect_timeout", self.connect_timeout),
            ("keep_alive_interval", self.keep_alive_interval),
            ("keep_alive_timeout", self.keep_alive_timeout),
            ("call_timeout", self.call_timeout),
            ("pd_timeout", self.pd_timeout),
            ("backoff_base", self.backoff_base),
            ("backoff_cap", self.backoff_cap),
            ("lock_ttl", self.lock_ttl),
            ("transaction_age", self.transaction_age),
        ];
        let zero_count = counts.iter().find(|(_, value)| *value == 0).map(|(setting, _)| setting);
        let zero_time = times.iter().find(|(_, value)| value.is_zero()).map(|(setting, _)| setting);
        if let Some(setting) = zero_count.or(zero_time) {
            return Err(Error::Setting { setting, reason: "it is zero".into() });
        }
        if self.retention < self.transaction_age {
            let (given, least) = (self.retention, self.transaction_age);
            let reason = format!("{given:?} is less than {least:?}, the age that a transaction may have");
            return Err(Error::Setting { setting: "retention", reason });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_client_can_work_with_is_refused_by_name() {
        assert_eq!(Settings::default().check(), Ok(()));
        let refused = Settings { concurrency: 0, ..Settings::default() }.check();
        assert_eq!(refused, Err(Error::Setting { setting: "concurrency", reason: "it is zero".into() }));
        let refused = Settings { lock_ttl: Duration::ZERO, ..Settings::default() }.check();
        assert_eq!(refused, Err(Error::Setting { setting: "lock_ttl", reason: "it is zero".into() }));
        let refused = Settings { retention: Duration::from_secs(59), ..Settings::default() }.check();
        assert!(matches!(refused, Err(Error::Setting { setting: "retention", .. })), "{refused:?}");
    }
}
