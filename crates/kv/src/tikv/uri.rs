//! How a cluster is named: `tikv://pd1:2379,pd2:2379?keyspace=lake&ca=/etc/braid/ca.pem`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The port of PD where none is given.
const PD_PORT: u16 = 2379;

/// Longest name of a keyspace. PD may allow less, and says so.
const KEYSPACE_BYTES: usize = 64;

/// A cluster and how it is reached, as one text:
///
/// ```text
/// tikv://HOST[:PORT][,HOST[:PORT]]…[?NAME=VALUE[&NAME=VALUE]…]
/// ```
///
/// The hosts are those of PD. What can be set: `keyspace`; for encrypted connections `ca` (a file of certificate
/// authorities, PEM), `cert` and `key` (this process's own certificate and key, PEM) and `server-name` (the name that
/// the cluster's certificates are for, where it is not the host). A value is taken as it stands, up to the next `&`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TikvUri {
    endpoints: Vec<String>,
    keyspace: Option<String>,
    tls: Option<TikvTls>,
}

/// What encrypted connections to a cluster need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TikvTls {
    /// File of certificate authorities, PEM.
    pub authorities: PathBuf,
    /// Files of this process's certificate and its key, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name in the cluster's certificates.
    pub server_name: Option<String>,
}

/// Why a text names no cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTikvUri {
    /// It is something else.
    #[error("'{text}' does not start with 'tikv://'")]
    Scheme {
        /// The text.
        text: String,
    },
    /// A host is empty.
    #[error("'{text}' lacks the name of a host")]
    NoHost {
        /// The text.
        text: String,
    },
    /// A host is none.
    #[error(
        "'{host}' is not a host: it has letters, digits, '.', '-' and '_', or is an IPv6 address in brackets"
    )]
    Host {
        /// What stands in its place.
        host: String,
    },
    /// A port is none.
    #[error("'{port}' of '{endpoint}' is not a port: it is 1 to 65535")]
    Port {
        /// The host and its port.
        endpoint: String,
        /// What stands in its place.
        port: String,
    },
    /// There is no such setting.
    #[error("'{name}' is not a setting of a cluster: those are keyspace, ca, cert, key and server-name")]
    UnknownSetting {
        /// Its name.
        name: String,
    },
    /// A setting is there twice.
    #[error("the setting '{name}' is given twice")]
    Twice {
        /// Its name.
        name: String,
    },
    /// A setting has no value.
    #[error("the setting '{name}' has no value")]
    NoValue {
        /// Its name.
        name: String,
    },
    /// A keyspace cannot have this name.
    #[error(
        "'{name}' is not the name of a keyspace: that has 1 to {KEYSPACE_BYTES} letters, digits, '-' and '_'"
    )]
    Keyspace {
        /// The name.
        name: String,
    },
    /// A setting is of no use without another.
    #[error("the setting '{name}' needs the setting '{needs}' beside it")]
    Lacks {
        /// The setting given.
        name: &'static str,
        /// The setting missing.
        needs: &'static str,
    },
}

impl TikvUri {
    /// The PD servers, each `host:port`; at least one.
    pub fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// The keyspace; `None` is a cluster without keyspaces.
    pub fn keyspace(&self) -> Option<&str> {
        self.keyspace.as_deref()
    }

    /// How connections are encrypted; `None` is not at all.
    pub fn tls(&self) -> Option<&TikvTls> {
        self.tls.as_ref()
    }
}

impl FromStr for TikvUri {
    type Err = InvalidTikvUri;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest =
            text.strip_prefix("tikv://").ok_or_else(|| InvalidTikvUri::Scheme { text: text.to_owned() })?;
        let (hosts, query) = rest.split_once('?').map_or((rest, None), |(hosts, query)| (hosts, Some(query)));
        let hosts = hosts.strip_suffix('/').unwrap_or(hosts);
        let endpoints = hosts.split(',').map(|host| endpoint(text, host)).collect::<Result<_, _>>()?;
        let settings = query.map_or(Ok(Query::default()), Query::parse)?;
        Ok(Self { endpoints, keyspace: settings.keyspace.clone(), tls: settings.tls()? })
    }
}

impl fmt::Display for TikvUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tikv://{}", self.endpoints.join(","))?;
        match &self.keyspace {
            Some(keyspace) => write!(f, "?keyspace={keyspace}"),
            None => Ok(()),
        }
    }
}

/// One PD server as `host:port`.
fn endpoint(text: &str, endpoint: &str) -> Result<String, InvalidTikvUri> {
    // The colons of an IPv6 address stand in brackets.
    let after_host = endpoint.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match endpoint[after_host..].split_once(':') {
        Some((rest, port)) => (&endpoint[..after_host + rest.len()], Some(port)),
        None => (endpoint, None),
    };
    if host.is_empty() {
        return Err(InvalidTikvUri::NoHost { text: text.to_owned() });
    }
    if !is_host(host) {
        return Err(InvalidTikvUri::Host { host: host.to_owned() });
    }
    let bad_port = |port: &str| InvalidTikvUri::Port { endpoint: endpoint.to_owned(), port: port.to_owned() };
    let port = match port {
        None => PD_PORT,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(|| bad_port(port))?,
    };
    Ok(format!("{host}:{port}"))
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// The settings as they stand.
#[derive(Default)]
struct Query {
    keyspace: Option<String>,
    ca: Option<String>,
    cert: Option<String>,
    key: Option<String>,
    server_name: Option<String>,
}

impl Query {
    fn parse(text: &str) -> Result<Self, InvalidTikvUri> {
        let mut query = Self::default();
        for setting in text.split('&') {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            let place = query.place(name)?;
            if value.is_empty() {
                return Err(InvalidTikvUri::NoValue { name: name.to_owned() });
            }
            if place.replace(value.to_owned()).is_some() {
                return Err(InvalidTikvUri::Twice { name: name.to_owned() });
            }
        }
        match query.keyspace.as_ref().filter(|name| !is_keyspace(name)) {
            Some(name) => Err(InvalidTikvUri::Keyspace { name: name.clone() }),
            None => Ok(query),
        }
    }

    fn place(&mut self, name: &str) -> Result<&mut Option<String>, InvalidTikvUri> {
        Ok(match name {
            "keyspace" => &mut self.keyspace,
            "ca" => &mut self.ca,
            "cert" => &mut self.cert,
            "key" => &mut self.key,
            "server-name" => &mut self.server_name,
            _ => return Err(InvalidTikvUri::UnknownSetting { name: name.to_owned() }),
        })
    }

    fn tls(self) -> Result<Option<TikvTls>, InvalidTikvUri> {
        let lacks = |name, needs| Err(InvalidTikvUri::Lacks { name, needs });
        let identity = match (self.cert, self.key) {
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            (None, None) => None,
            (Some(_), None) => return lacks("cert", "key"),
            (None, Some(_)) => return lacks("key", "cert"),
        };
        match (self.ca, &identity, &self.server_name) {
            (Some(authorities), ..) => {
                let authorities = authorities.into();
                Ok(Some(TikvTls { authorities, identity, server_name: self.server_name }))
            }
            (None, Some(_), _) => lacks("cert", "ca"),
            (None, None, Some(_)) => lacks("server-name", "ca"),
            (None, None, None) => Ok(None),
        }
    }
}

fn is_keyspace(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=KEYSPACE_BYTES).contains(&name.len()) && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<TikvUri, InvalidTikvUri> {
        text.parse()
    }

    #[test]
    fn hosts_have_ports_given_or_not() {
        for (text, endpoints) in [
            ("tikv://pd1", vec!["pd1:2379"]),
            ("tikv://pd1:1/", vec!["pd1:1"]),
            ("tikv://pd1:2379,pd-2.lake_net:65535", vec!["pd1:2379", "pd-2.lake_net:65535"]),
            ("tikv://[::1],[fe80::1]:7", vec!["[::1]:2379", "[fe80::1]:7"]),
        ] {
            let uri = parse(text).unwrap();
            assert_eq!(uri.endpoints(), endpoints);
            assert_eq!((uri.keyspace(), uri.tls()), (None, None));
            assert_eq!(parse(&uri.to_string()).unwrap(), uri);
        }
    }

    #[test]
    fn settings_are_read_and_secrets_are_not_among_them() {
        let text = "tikv://pd?keyspace=lake-1&ca=/a b/ca.pem&cert=c.pem&key=k=1.pem&server-name=tikv.local";
        let uri = parse(text).unwrap();
        let tls = TikvTls {
            authorities: "/a b/ca.pem".into(),
            identity: Some(("c.pem".into(), "k=1.pem".into())),
            server_name: Some("tikv.local".into()),
        };
        assert_eq!((uri.keyspace(), uri.tls()), (Some("lake-1"), Some(&tls)));
        assert_eq!(uri.to_string(), "tikv://pd:2379?keyspace=lake-1");
        let authorities_alone = parse("tikv://pd?ca=ca.pem").unwrap().tls().cloned();
        let tls = TikvTls { authorities: "ca.pem".into(), identity: None, server_name: None };
        assert_eq!(authorities_alone, Some(tls));
    }

    #[test]
    fn each_mistake_is_named() {
        for (text, said) in [
            ("pd:2379", "'pd:2379' does not start with 'tikv://'"),
            ("http://pd", "does not start with 'tikv://'"),
            ("tikv://", "'tikv://' lacks the name of a host"),
            ("tikv://pd,", "lacks the name of a host"),
            ("tikv://:2379", "lacks the name of a host"),
            ("tikv://p d", "'p d' is not a host"),
            ("tikv://user@pd", "'user@pd' is not a host"),
            ("tikv://pd/prefix", "'pd/prefix' is not a host"),
            ("tikv://[::g]", "'[::g]' is not a host"),
            ("tikv://pd:", "'' of 'pd:' is not a port"),
            ("tikv://pd:0", "'0' of 'pd:0' is not a port"),
            ("tikv://pd:65536", "'65536' of 'pd:65536' is not a port"),
            ("tikv://pd:1:2", "'1:2' of 'pd:1:2' is not a port"),
            ("tikv://pd?tls=yes", "'tls' is not a setting of a cluster"),
            ("tikv://pd?", "'' is not a setting"),
            ("tikv://pd?keyspace", "the setting 'keyspace' has no value"),
            ("tikv://pd?ca=", "the setting 'ca' has no value"),
            ("tikv://pd?ca=a&ca=b", "the setting 'ca' is given twice"),
            ("tikv://pd?keyspace=a.b", "'a.b' is not the name of a keyspace"),
            ("tikv://pd?ca=a&cert=c", "the setting 'cert' needs the setting 'key'"),
            ("tikv://pd?ca=a&key=k", "the setting 'key' needs the setting 'cert'"),
            ("tikv://pd?cert=c&key=k", "the setting 'cert' needs the setting 'ca'"),
            ("tikv://pd?server-name=s", "the setting 'server-name' needs the setting 'ca'"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        assert!(parse(&format!("tikv://pd?keyspace={}", "k".repeat(65))).is_err());
    }
}
