//! Until when a caller waits: the `grpc-timeout` of a call.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tonic::metadata::MetadataMap;

/// What is kept back from the caller's patience, so that the answer that it was too long still arrives: a twentieth of
/// it, and no more than this.
const MOST_KEPT_BACK: Duration = Duration::from_millis(100);

/// When a call must have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// The deadline of the call with this metadata, counted from now. A malformed timeout is none.
    pub(crate) fn of(metadata: &MetadataMap) -> Self {
        let text = metadata.get("grpc-timeout").and_then(|value| value.to_str().ok());
        let patience = text.and_then(parse).map(|timeout| timeout - (timeout / 20).min(MOST_KEPT_BACK));
        Self(patience.and_then(|patience| Instant::now().checked_add(patience)))
    }

    /// Waits for the deadline; for ever if there is none.
    pub(crate) async fn passed(self) {
        match self.0 {
            Some(deadline) => sleep_until(deadline).await,
            None => pending().await,
        }
    }
}

/// Parses a timeout as gRPC over HTTP/2 has it: at most 8 digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_known() {
        for (text, nanos) in [
            ("2H", 7_200_000_000_000_u128),
            ("2M", 120_000_000_000),
            ("2S", 2_000_000_000),
            ("2m", 2_000_000),
            ("2u", 2_000),
            ("99999999n", 99_999_999),
        ] {
            assert_eq!(parse(text).unwrap().as_nanos(), nanos, "{text}");
        }
    }

    #[test]
    fn malformed_timeouts_are_none() {
        for wrong in ["", "S", "1", "1s", "-1S", "+1S", "123456789S", "1.5S", "1€"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
