//! Where a PD or a store answers.

use std::fmt;
use std::sync::Arc;

use crate::Error;

/// `host:port`; whether it is spoken to in plain text or not is a setting, not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address(Arc<str>);

impl Address {
    /// The address in a URL or of a bare `host:port`.
    ///
    /// # Errors
    /// [`Error::Setting`] where there is no host or no port.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let bare = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or(text);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        let valid = bare.rsplit_once(':').is_some_and(|(host, port)| {
            let plain = host.chars().all(|c| c.is_ascii_alphanumeric() || "-._[]:%".contains(c));
            !host.is_empty() && plain && port.parse::<u16>().is_ok()
        });
        if !valid {
            return Err(Error::Setting { setting: "address", reason: format!("'{text}' is not host:port") });
        }
        Ok(Self(bare.into()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port_however_written() {
        for text in ["pd1:2379", "http://pd1:2379", "https://pd1:2379/"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), "pd1:2379");
        }
        assert_eq!(Address::parse("[::1]:20160").unwrap().to_string(), "[::1]:20160");
        for text in ["", "pd1", ":2379", "pd1:", "pd1:x", "pd 1:2379", "http://pd1:2379/path"] {
            assert!(matches!(Address::parse(text), Err(Error::Setting { .. })), "{text}");
        }
    }
}
