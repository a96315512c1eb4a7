//! What a client is made from.

use std::time::Duration;

use crate::credentials::Credentials;
use crate::retry::RetryPolicy;

/// Where the service is and how to call it.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientConfig {
    /// The nodes of the service, one or more: `http://host:port`, or `https://host:port` for TLS. Calls are spread over all
    /// of them, and go to the others while one cannot be reached.
    pub endpoints: Vec<String>,
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
    /// Anonymous calls to `endpoints`, which commas separate, with the defaults for everything else.
    pub fn new(endpoints: impl AsRef<str>) -> Self {
        Self {
            endpoints: endpoints.as_ref().split(',').map(|endpoint| endpoint.trim().to_owned()).collect(),
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
