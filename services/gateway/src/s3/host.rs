//! Buckets in the names of hosts.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// A domain that the S3 API is served under: a host below it names a bucket, any other is nothing but an address.
pub(super) struct Domain {
    domain: String,
}

impl Domain {
    pub(super) fn new(domain: &str) -> Self {
        Self { domain: domain.to_ascii_lowercase() }
    }
}

impl S3Host for Domain {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let named = VirtualHost::new(self.domain.as_str());
        Ok(match bucket(&self.domain, host) {
            Some(bucket) => named.with_bucket(bucket),
            None => named,
        })
    }
}

/// The bucket that a host below `domain`, with or without a port, names.
pub(super) fn bucket(domain: &str, host: &str) -> Option<String> {
    let host = without_port(host).to_ascii_lowercase();
    let bucket = host.strip_suffix(domain)?.strip_suffix('.')?;
    (!bucket.is_empty()).then(|| bucket.to_owned())
}

/// Whether a host is `domain`, or below it.
pub(super) fn is_of(domain: &str, host: &str) -> bool {
    without_port(host).eq_ignore_ascii_case(domain) || bucket(domain, host).is_some()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_below_the_domain_name_a_bucket() {
        for (host, expected) in [
            ("lake.s3.example.org", Some("lake")),
            ("Lake.S3.example.org:8000", Some("lake")),
            ("s3.example.org", None),
            ("s3.example.org:8000", None),
            (".s3.example.org", None),
            ("lakes3.example.org", None),
            ("localhost:8000", None),
        ] {
            assert_eq!(bucket("s3.example.org", host).as_deref(), expected, "{host}");
        }
        assert!(is_of("s3.example.org", "S3.example.org:80"));
        assert!(!is_of("s3.example.org", "example.org"));
    }
}
