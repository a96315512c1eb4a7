//! Requests signed by hand, with whatever an SDK would not send.

use std::fmt::Write;

use braid::Server;
use braid_types::{Clock, SystemClock};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, RequestBuilder, StatusCode};
use sha2::{Digest, Sha256};

/// A client that goes nowhere by itself.
pub(super) fn http() -> reqwest::Client {
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A request that is to be signed (Signature Version 4, in headers).
pub(super) struct Signed {
    pub(super) address: String,
    pub(super) method: String,
    /// The path as it is sent, percent-encoded.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) key_id: String,
    pub(super) secret: String,
    /// Seconds that the client's clock is fast.
    pub(super) skew: i64,
    pub(super) region: String,
    pub(super) service: String,
    pub(super) host: String,
}

impl Signed {
    pub(super) fn new(server: &Server, method: &str, path: &str) -> Self {
        let key = server.first_key().unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Self {
            address: server.http_address().to_string(),
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("x-amz-content-sha256".to_owned(), "UNSIGNED-PAYLOAD".to_owned())],
            key_id: key.id.clone(),
            secret: key.secret.expose().to_owned(),
            skew: 0,
            region: "us-east-1".to_owned(),
            service: "s3".to_owned(),
            host: server.http_address().to_string(),
        }
    }

    pub(super) fn headers(mut self, headers: &[(&str, &str)]) -> Self {
        for (name, value) in headers {
            self.headers.retain(|(known, _)| known != name);
            self.headers.push(((*name).to_owned(), (*value).to_owned()));
        }
        self
    }

    pub(super) fn request(&self) -> RequestBuilder {
        let date = timestamp(SystemClock.now().seconds + self.skew);
        let mut headers = self.headers.clone();
        headers.push(("host".to_owned(), self.host.clone()));
        headers.push(("x-amz-date".to_owned(), date.clone()));
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let mut lines = String::new();
        for (name, value) in &headers {
            writeln!(lines, "{name}:{}", value.trim()).unwrap();
        }
        let payload = &headers.iter().find(|(name, _)| name == "x-amz-content-sha256").unwrap().1;
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{payload}",
            self.method,
            self.path,
            self.canonical_query()
        );
        let scope = format!("{}/{}/{}/aws4_request", &date[..8], self.region, self.service);
        let to_sign =
            format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [&date[..8], &self.region, &self.service, "aws4_request"] {
            key = hmac(&key, part);
        }
        let signature = hex::encode(hmac(&key, &to_sign));
        let credential = format!("{}/{scope}", self.key_id);
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let url = format!("http://{}{}{query}", self.address, self.path);
        let mut request = http().request(self.method.parse::<Method>().unwrap(), url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.header("authorization", authorization)
    }

    /// The parameters in order, each with a `=`.
    fn canonical_query(&self) -> String {
        let mut parameters: Vec<String> = self
            .query
            .split('&')
            .filter(|text| !text.is_empty())
            .map(|text| if text.contains('=') { text.to_owned() } else { format!("{text}=") })
            .collect();
        parameters.sort();
        parameters.join("&")
    }

    /// The status, and the S3 code if the answer is an error.
    pub(super) async fn answer(&self, body: &'static str) -> (StatusCode, String) {
        told(self.request().body(body)).await
    }
}

/// The status, and the S3 code if the answer is an error, which is then in S3's form.
pub(super) async fn told(request: RequestBuilder) -> (StatusCode, String) {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    let refused = text.split_once("<Error><Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let Some((code, _)) = refused else { return (status, String::new()) };
    assert_eq!(headers["content-type"], "application/xml", "{text}");
    (status, code.to_owned())
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// `20260102T030405Z`, by the calendar of the civil days since 1970.
fn timestamp(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[test]
fn times_are_written_as_signatures_have_them() {
    assert_eq!(timestamp(0), "19700101T000000Z");
    assert_eq!(timestamp(1_709_210_096), "20240229T123456Z");
}
