//! How to reach S3.

use std::fmt;
use std::time::Duration;

/// Where S3 is, and as whom to talk to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Config {
    /// The region, also for signing.
    pub region: String,
    /// Another endpoint than AWS's, such as `http://127.0.0.1:9000`; buckets are then part of the path.
    pub endpoint_url: Option<String>,
    /// The endpoint that presigned URLs name, if clients reach it by another address.
    pub public_url: Option<String>,
    /// The key to sign with.
    pub credentials: S3Credentials,
    /// How long to wait, and how often to try.
    pub timeouts: S3Timeouts,
}

impl S3Config {
    /// AWS in this region.
    #[must_use]
    pub fn aws(region: impl Into<String>, credentials: S3Credentials) -> Self {
        Self {
            region: region.into(),
            endpoint_url: None,
            public_url: None,
            credentials,
            timeouts: S3Timeouts::default(),
        }
    }
}

/// An access key.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half; never shown.
    pub secret_access_key: String,
    /// What goes with a temporary key.
    pub session_token: Option<String>,
}

impl S3Credentials {
    /// Takes the key from the standard variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
    /// `AWS_SESSION_TOKEN`, looked up with `variable`; `None` if one of the first two is missing or empty.
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        Some(Self {
            access_key_id: set("AWS_ACCESS_KEY_ID")?,
            secret_access_key: set("AWS_SECRET_ACCESS_KEY")?,
            session_token: set("AWS_SESSION_TOKEN"),
        })
    }

    /// Takes the key from this process's environment.
    #[must_use]
    pub fn from_env() -> Option<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// How long to wait, and how often to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct S3Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For one attempt, up to the head of the answer.
    pub attempt: Duration,
    /// For a whole request, with all attempts and the body of the answer.
    pub request: Duration,
    /// The most attempts, at least 1.
    pub attempts: u32,
    /// The pause before the second attempt; each later one is twice as long.
    pub first_pause: Duration,
}

impl Default for S3Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(30),
            request: Duration::from_secs(120),
            attempts: 4,
            first_pause: Duration::from_millis(50),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::S3Credentials;

    #[test]
    fn credentials_come_from_the_standard_variables() {
        let key = S3Credentials::from_variables(|name| Some(name.to_lowercase())).unwrap();
        assert_eq!(key.access_key_id, "aws_access_key_id");
        assert_eq!(key.secret_access_key, "aws_secret_access_key");
        assert_eq!(key.session_token.as_deref(), Some("aws_session_token"));
    }

    #[test]
    fn half_a_key_is_none() {
        for missing in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let variable = |name: &str| Some(if name == missing { String::new() } else { "x".to_owned() });
            assert_eq!(S3Credentials::from_variables(variable), None);
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let key = S3Credentials::from_variables(|name| Some(format!("value of {name}"))).unwrap();
        let shown = format!("{key:?}");
        assert!(!shown.contains("SECRET") && !shown.contains("TOKEN"), "{shown}");
    }
}
