//! The SDK's client, with everything set that would otherwise be a default of its own.

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Config, Region, RequestChecksumCalculation, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::config::{S3Config, S3Credentials, S3Timeouts};

/// A client that talks, or only presigns, as `config` says, to `endpoint_url` if there is one.
pub(crate) fn client(config: &S3Config, endpoint_url: Option<&str>) -> Client {
    let timeouts = &config.timeouts;
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut builder = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new(config.region.clone()))
        .credentials_provider(credentials(&config.credentials))
        .timeout_config(timeout_config(timeouts))
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(timeouts.attempts.max(1))
                .with_initial_backoff(timeouts.first_pause),
        )
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().build())
        // A presigned upload is of bytes that the signer has not seen.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    if let Some(url) = endpoint_url {
        builder = builder.endpoint_url(url).force_path_style(true);
    }
    Client::from_conf(builder.build())
}

/// Whether this is a directory bucket of S3 Express, which wants sessions of its own.
pub(crate) fn is_express(bucket: &str) -> bool {
    bucket.ends_with("--x-s3")
}

fn credentials(key: &S3Credentials) -> Credentials {
    let (id, secret) = (key.access_key_id.clone(), key.secret_access_key.clone());
    Credentials::new(id, secret, key.session_token.clone(), None, "braid")
}

fn timeout_config(timeouts: &S3Timeouts) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(timeouts.connect)
        .operation_attempt_timeout(timeouts.attempt)
        .operation_timeout(timeouts.request)
        .build()
}
