//! Connections to the nodes of a service.

use std::net::IpAddr;
use std::time::Duration;

use braid_types::{Code, Error};
use braid_wire::proto::MAX_HEADER_BYTES;
use http::Uri;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::config::{ClientConfig, TlsOptions};
use crate::nodes::Node;

/// How often a silent connection is probed: calls wait no longer than this and the next for a server that is gone.
const PROBE_INTERVAL: Duration = Duration::from_secs(20);
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// The nodes, each with a channel that connects when it is first used, and again whenever the connection was lost.
///
/// # Errors
/// `invalid_argument` if there is no endpoint or one is not a URL, the TLS options are of no use, or credentials would go
/// over the network unencrypted.
pub(crate) fn nodes(config: &ClientConfig) -> Result<Vec<Node>, Error> {
    if config.endpoints.is_empty() {
        return Err(Error::new(Code::InvalidArgument, "endpoints", "no endpoint is given"));
    }
    let node =
        |endpoint: &String| Ok(Node { endpoint: endpoint.clone(), channel: channel(endpoint, config)? });
    config.endpoints.iter().map(node).collect()
}

fn channel(endpoint: &str, config: &ClientConfig) -> Result<Channel, Error> {
    let uri = parse(endpoint)?;
    let encrypted = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
    if config.credentials.is_some() && !encrypted && !is_loopback(&uri) {
        return Err(invalid(
            endpoint,
            "credentials are only sent over https, or to this machine; give an https:// endpoint",
        ));
    }
    let mut connection = Endpoint::from(uri)
        .connect_timeout(config.timeouts.connect)
        .http2_keep_alive_interval(PROBE_INTERVAL)
        .keep_alive_timeout(PROBE_TIMEOUT)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_adaptive_window(true);
    if encrypted {
        connection = connection
            .tls_config(tls(&config.tls))
            .map_err(|error| invalid(endpoint, &format!("its TLS options are of no use: {error}")))?;
    }
    Ok(connection.connect_lazy())
}

fn parse(endpoint: &str) -> Result<Uri, Error> {
    let uri: Uri = endpoint.parse().map_err(|error| invalid(endpoint, &format!("{error}")))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err(invalid(endpoint, "it must be http://host:port or https://host:port")),
    }
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn tls(options: &TlsOptions) -> ClientTlsConfig {
    let mut tls = ClientTlsConfig::new().with_native_roots();
    if let Some(pem) = &options.ca_certificates {
        tls = tls.ca_certificate(Certificate::from_pem(pem));
    }
    if let Some(name) = &options.domain_name {
        tls = tls.domain_name(name);
    }
    tls
}

fn invalid(endpoint: &str, reason: &str) -> Error {
    Error::new(Code::InvalidArgument, endpoint, format!("endpoint '{endpoint}' cannot be used: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;

    fn with_credentials(endpoint: &str) -> Result<Vec<Node>, Error> {
        let credentials = Some(Credentials::new("id", "secret").unwrap());
        nodes(&ClientConfig { credentials, ..ClientConfig::new(endpoint) })
    }

    #[tokio::test]
    async fn credentials_are_not_sent_in_the_clear() {
        for near in ["http://localhost:1", "http://127.0.0.2:1", "http://[::1]:1"] {
            assert!(with_credentials(near).is_ok(), "{near}");
        }
        let among_near = "http://localhost:1,http://braid:1";
        for far in ["http://braid:1", "http://10.0.0.1:1", "http://localhost.example:1", among_near] {
            let error = with_credentials(far).unwrap_err();
            assert!(error.message().contains("only sent over https"), "{error}");
            assert!(nodes(&ClientConfig::new(far)).is_ok(), "anonymous calls have nothing to hide");
        }
    }

    #[tokio::test]
    async fn endpoints_must_say_how_to_connect() {
        let wrong = [
            "",
            "localhost:8080",
            "ftp://localhost",
            "http://",
            "not a url",
            "http://a:1,",
            "http://a:1,b:1",
        ];
        for wrong in wrong {
            let error = nodes(&ClientConfig::new(wrong)).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{wrong}");
        }
    }
}
