//! What a client is made from.

use std::time::Duration;

use crate::credentials::Credentials;
use crate::retry::RetryPolicy;

/// Where the server is and how to call it.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientConfig {
    /// `http://host:port`, or `https://host:port` for TLS.
    pub endpoint: String,
    /// The access key to call with; none is anonymous. Over plain HTTP only to this machine.
    pub credentials: Option<Credentials>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often to try again.
    pub retry: RetryPolicy,
    /// Whom to trust.
    pub tls: TlsOptions,
}

impl ClientConfig {
    /// Anonymous calls to `endpoint`, with the defaults for everything else.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            credentials: None,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            tls: TlsOptions::default(),
        }
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For one attempt at a call.
    pub call: Duration,
    /// For one attempt at a call whose work grows with the branch: commit, merge, revert, cherry-pick, a page of a diff, how
    /// much there is under a prefix.
    pub commit: Duration,
    /// For the next message of a stream, and for the next bytes of a transfer.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(60),
            commit: Duration::from_secs(15 * 60),
            idle: Duration::from_secs(60),
        }
    }
}

/// Whom to trust, beside the machine's own certificate authorities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// More authorities, as PEM: for the server and for the object store.
    pub ca_certificates: Option<Vec<u8>>,
    /// The name the server's certificate is for, where it is not the endpoint's host.
    pub domain_name: Option<String>,
}
