//! URLs that carry their own right to one request, signed by the SDK.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use braid_types::Clock;

use crate::port::check_ttl;
use crate::s3::{S3Config, S3Credentials, S3Timeouts, client, encode_name, request_error};
use crate::{
    InternalKey, ObjectError, PartPlace, PresignGetOptions, PresignPutOptions, Presigned, check_key,
};

/// Signs URLs; makes no request.
#[derive(Debug, Clone)]
pub(crate) struct Presigner {
    client: Client,
    clock: Arc<dyn Clock>,
}

/// From when and for how long a URL is valid.
struct Validity {
    config: PresigningConfig,
    expires_at: i64,
}

impl Presigner {
    /// Signs URLs of S3, as clients reach it.
    pub(crate) fn new(config: &S3Config, clock: Arc<dyn Clock>) -> Self {
        let url = config.public_url.as_deref().or(config.endpoint_url.as_deref());
        Self { client: client(config, url), clock }
    }

    /// Signs URLs of the local store's endpoint at `public_url`.
    pub(crate) fn local(public_url: &str, key: &InternalKey, clock: Arc<dyn Clock>) -> Self {
        let config = S3Config {
            region: "us-east-1".to_owned(),
            endpoint_url: Some(public_url.to_owned()),
            public_url: None,
            credentials: S3Credentials {
                access_key_id: key.access_key_id.clone(),
                secret_access_key: key.secret.clone(),
                session_token: None,
            },
            timeouts: S3Timeouts::default(),
        };
        Self::new(&config, clock)
    }

    pub(crate) async fn get(
        &self,
        bucket: &str,
        key: &str,
        ttl: Duration,
        options: PresignGetOptions,
    ) -> Result<Presigned, ObjectError> {
        let validity = self.validity(key, ttl)?;
        let disposition = options.download_name.as_deref().map(disposition);
        let request = self.client.get_object().bucket(bucket).key(key);
        let request = request.set_response_content_type(options.content_type);
        let request = request.set_response_content_disposition(disposition);
        let signed = request.presigned(validity.config).await.map_err(|error| request_error(key, error))?;
        Ok(presigned(&signed, validity.expires_at))
    }

    pub(crate) async fn put(
        &self,
        bucket: &str,
        key: &str,
        ttl: Duration,
        options: PresignPutOptions,
    ) -> Result<Presigned, ObjectError> {
        let validity = self.validity(key, ttl)?;
        let length = options.content_length.map(|length| signed_length(key, length)).transpose()?;
        let request = self.client.put_object().bucket(bucket).key(key).set_content_length(length);
        let request = request.set_content_type(options.content_type);
        let request = request.set_if_none_match(options.if_absent.then(|| "*".to_owned()));
        let signed = request.presigned(validity.config).await.map_err(|error| request_error(key, error))?;
        Ok(presigned(&signed, validity.expires_at))
    }

    pub(crate) async fn part(
        &self,
        bucket: &str,
        part: PartPlace<'_>,
        ttl: Duration,
        length: Option<u64>,
    ) -> Result<Presigned, ObjectError> {
        part.check()?;
        let validity = self.validity(part.key, ttl)?;
        let length = length.map(|length| signed_length(part.key, length)).transpose()?;
        let request = self.client.upload_part().bucket(bucket).key(part.key).upload_id(part.upload);
        let request = request.part_number(part.number.into()).set_content_length(length);
        let signed =
            request.presigned(validity.config).await.map_err(|error| request_error(part.key, error))?;
        Ok(presigned(&signed, validity.expires_at))
    }

    fn validity(&self, key: &str, ttl: Duration) -> Result<Validity, ObjectError> {
        check_key(key)?;
        let seconds = check_ttl(key, ttl)?;
        let now = self.clock.now().seconds;
        let since_1970 = u64::try_from(now).expect("the clock is after 1970");
        let config = PresigningConfig::builder()
            .start_time(UNIX_EPOCH + Duration::from_secs(since_1970))
            .expires_in(Duration::from_secs(seconds.into()))
            .build()
            .expect("the time to live was checked");
        Ok(Validity { config, expires_at: now + i64::from(seconds) })
    }
}

fn signed_length(key: &str, length: u64) -> Result<i64, ObjectError> {
    let rule = || format!("an object has at most {} bytes", i64::MAX);
    i64::try_from(length).map_err(|_| ObjectError::InvalidRequest { key: key.to_owned(), rule: rule() })
}

fn presigned(signed: &PresignedRequest, expires_at: i64) -> Presigned {
    let by_itself = |name: &str| ["host", "content-length"].contains(&name.to_ascii_lowercase().as_str());
    let headers = signed.headers().filter(|(name, _)| !by_itself(name));
    Presigned {
        url: signed.uri().to_owned(),
        method: signed.method().to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        expires_at,
    }
}

/// A `Content-Disposition` that names the file (RFC 6266), in ASCII for old browsers and in full.
fn disposition(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() && !"\"\\%/".contains(c) || c == ' ' { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let full = encode_name(name).replace('*', "%2A").replace('/', "%2F");
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{full}")
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn a_download_name_cannot_break_out_of_its_header() {
        let header = disposition("a \"b\"\r\n€.txt");
        assert_eq!(
            header,
            "attachment; filename=\"a _b____.txt\"; filename*=UTF-8''a%20%22b%22%0D%0A%E2%82%AC.txt"
        );
    }
}
