//! The HTTP client of transfers, and what the object store's answers mean.

use std::time::Duration;

use braid_types::{Code, Error, Time};
use http::StatusCode;
use reqwest::{Certificate, Client, ClientBuilder, Response, redirect};
use tokio::time::timeout;

use crate::client::Client as BraidClient;
use crate::config::ClientConfig;
use crate::retry::Retries;

/// How much of a refusal's text goes into an error.
const SHOWN_BYTES: usize = 300;

/// A client with a pool of kept-alive connections.
pub(crate) fn http_client(config: &ClientConfig) -> Result<Client, Error> {
    // Fails only when the process has chosen a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authorities = authorities(config)?;
    let with_machines = builder(config).tls_certs_merge(authorities.clone()).build();
    // A machine without any certificate authority can still speak HTTP, and HTTPS to those that it was given.
    let client = with_machines.or_else(|_| builder(config).tls_certs_only(authorities).build());
    client.map_err(|error| {
        Error::new(Code::InvalidArgument, "tls", format!("the HTTP client cannot be made: {}", chain(&error)))
    })
}

/// A URL is signed for one place: redirects are refused.
fn builder(config: &ClientConfig) -> ClientBuilder {
    Client::builder()
        .connect_timeout(config.timeouts.connect)
        .redirect(redirect::Policy::none())
        .http1_only()
        .tcp_nodelay(true)
}

fn authorities(config: &ClientConfig) -> Result<Vec<Certificate>, Error> {
    let Some(pem) = &config.tls.ca_certificates else { return Ok(Vec::new()) };
    Certificate::from_pem_bundle(pem).map_err(|error| {
        let message = format!("the certificate authorities given are not PEM: {error}");
        Error::new(Code::InvalidArgument, "ca_certificates", message)
    })
}

/// What to do about an answer that is not the one hoped for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Try again with the same URL.
    Busy(Error),
    /// Try again with another URL: this one has expired, or its place is taken.
    Stale(Error),
    /// Give up.
    Final(Error),
}

impl Refusal {
    /// What `status` with `text` means for the object at `path`.
    pub(super) fn of(path: &str, status: StatusCode, text: &str) -> Self {
        let message = format!("the object store answered {status} for '{path}': {text}");
        let error = |code| Error::new(code, path, message.clone());
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Self::Final(error(Code::DataNotFound)),
            StatusCode::RANGE_NOT_SATISFIABLE => Self::Final(error(Code::Corrupt)),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Self::Busy(error(Code::Unavailable))
            }
            status if status.is_server_error() => Self::Busy(error(Code::Unavailable)),
            // Expired signatures and session tokens are 403 or 400; a place that is taken already, as after an upload whose
            // answer was lost, is 412.
            StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST | StatusCode::PRECONDITION_FAILED => {
                Self::Stale(error(Code::PermissionDenied))
            }
            _ => Self::Final(error(Code::Internal)),
        }
    }

    /// What an answer that is no success means for the object at `path`.
    pub(super) async fn read(path: &str, mut answer: Response, idle: Duration) -> Self {
        let mut text = Vec::new();
        while text.len() < SHOWN_BYTES {
            match timeout(idle, answer.chunk()).await {
                Ok(Ok(Some(chunk))) => text.extend_from_slice(&chunk),
                _ => break,
            }
        }
        text.truncate(SHOWN_BYTES);
        Self::of(path, answer.status(), &String::from_utf8_lossy(&text))
    }

    /// Nothing has moved for too long.
    pub(super) fn stalled(path: &str) -> Self {
        Self::Busy(Error::new(Code::Unavailable, path, format!("the transfer of '{path}' stalled")))
    }

    /// The broken connection or missing answer behind `error`. Its URL is left out: it is as good as a password.
    pub(super) fn broken(path: &str, error: reqwest::Error) -> Self {
        let reason = chain(&error.without_url());
        Self::Busy(Error::new(
            Code::Unavailable,
            path,
            format!("the object store failed for '{path}': {reason}"),
        ))
    }
}

/// What to do before the next attempt at a transfer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: the URL is still good.
    Again,
    /// Ask for another URL.
    Renew,
}

impl Refusal {
    /// Waits as long as it asks for, or fails with its error.
    pub(super) async fn recover(self, retries: &mut Retries) -> Result<Next, Error> {
        match self {
            Self::Busy(error) => retries.after(error).await.map(|()| Next::Again),
            Self::Stale(error) => retries.renewal(error).map(|()| Next::Renew),
            Self::Final(error) => Err(error),
        }
    }
}

impl BraidClient {
    /// What to do before the first attempt with a URL: one that has expired need not be tried. A fresh URL is tried whatever
    /// the clock says, for it may be the clock that is wrong.
    pub(super) fn next_by_clock(&self, expires_at: Time) -> Next {
        if self.clock().now() >= expires_at { Next::Renew } else { Next::Again }
    }
}

/// An error with what is behind it, which reqwest leaves out of its own text.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let of = |status: u16| Refusal::of("p", StatusCode::from_u16(status).unwrap(), "why");
        for busy in [500, 502, 503, 504, 429, 408] {
            assert!(matches!(of(busy), Refusal::Busy(error) if error.is_retryable()), "{busy}");
        }
        for stale in [400, 403, 412] {
            assert!(matches!(of(stale), Refusal::Stale(_)), "{stale}");
        }
        assert!(matches!(of(404), Refusal::Final(error) if error.code() == Code::DataNotFound));
        assert!(matches!(of(416), Refusal::Final(error) if error.code() == Code::Corrupt));
        assert!(matches!(of(307), Refusal::Final(error) if error.message().ends_with("for 'p': why")));
    }

    #[test]
    fn authorities_must_be_pem() {
        let mut config = ClientConfig::new("https://x");
        config.tls.ca_certificates =
            Some(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_vec());
        assert_eq!(http_client(&config).unwrap_err().code(), Code::InvalidArgument);
    }
}
