//! How a cluster for tests begins.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

/// How a cluster for tests begins.
#[derive(Clone, Debug)]
pub struct Options {
    /// Stores, at least one; their ids are 1, 2 and so on. Each of the first three has a replica of every region.
    pub stores: u64,
    /// Members of PD, at least one; the first leads.
    pub pd_members: usize,
    /// Keys with which regions begin, beside the first.
    pub split_at: Vec<Bytes>,
    /// A region that holds more keys than this after a commit is split in the middle.
    pub split_above: Option<usize>,
    /// Keyspaces by name and id.
    pub keyspaces: Vec<(String, u32)>,
    /// What chance is drawn from.
    pub seed: u64,
    /// What the cluster's clock shows at the beginning, in milliseconds since 1970.
    pub now_ms: u64,
    /// How long a request for a pessimistic lock waits at most.
    pub lock_wait: Duration,
    /// Where the first member of PD listens; on loopback. Everybody else takes a free port of the same address.
    pub listen: SocketAddr,
    /// Listen in memory instead of on loopback, for clients of [`TestCluster::client`](super::TestCluster::client) alone.
    /// Nothing waits for the machine then: with the runtime's clock paused, time passes only where all wait for it.
    pub in_memory: bool,
    /// Write down what becomes of calls that end transactions, for
    /// [`TestCluster::ending_calls`](super::TestCluster::ending_calls); that takes memory.
    pub journal: bool,
    /// Answer by TLS only.
    pub tls: Option<TlsIdentity>,
}

/// What a server shows of itself, and asks of its clients; all in PEM.
#[derive(Clone, Debug)]
pub struct TlsIdentity {
    /// The certificate, with those above it.
    pub certificate: String,
    /// Its private key.
    pub key: String,
    /// Who must have signed clients' certificates; none: clients need no certificate.
    pub client_ca: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            stores: 1,
            pd_members: 1,
            split_at: Vec::new(),
            split_above: None,
            keyspaces: Vec::new(),
            seed: 0,
            now_ms: 1_767_225_600_000,
            lock_wait: Duration::from_secs(1),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            in_memory: false,
            journal: false,
            tls: None,
        }
    }
}
