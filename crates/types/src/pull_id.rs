//! Names of pull requests.

use std::fmt;
use std::str::FromStr;

use crate::{Code, Error, Random, Time, xid};

/// Names one pull request of a repository. Like lakeFS's these are `xid`s whose time is counted back, so that the newest comes first
/// in order of their texts and bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PullId([u8; 12]);

impl PullId {
    /// A fresh id. Ids of one clock are in order, to a fraction of a second that three bytes hold.
    pub fn new(now: Time, random: &dyn Random) -> Self {
        let seconds = u32::try_from(now.seconds.clamp(0, i64::from(u32::MAX))).expect("it was clamped");
        let part = u64::from(now.nanos).min(999_999_999) << 24;
        let fraction = (0xff_ffff - part / 1_000_000_000).to_be_bytes();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&(u32::MAX - seconds).to_be_bytes());
        bytes[4..7].copy_from_slice(&fraction[5..]);
        bytes[7..].copy_from_slice(&random.bytes::<5>());
        Self(bytes)
    }

    /// The id with these raw bytes.
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }
}

impl fmt::Display for PullId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&xid::encode(self.0))
    }
}

impl fmt::Debug for PullId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PullId({self})")
    }
}

impl FromStr for PullId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        xid::decode(text).map(Self).ok_or_else(|| {
            let message =
                format!("'{text}' is not a pull request id: 20 digits and lower-case letters up to 'v'");
            Error::new(Code::InvalidArgument, text, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    #[test]
    fn the_newest_comes_first() {
        let random: &dyn Random = &SeededRandom::new(1);
        let at = |seconds, nanos| PullId::new(Time { seconds, nanos }, random).to_string();
        let ids = [
            at(1_800_000_000, 0),
            at(1_700_000_000, 999_999_999),
            at(1_700_000_000, 1_000),
            at(1_700_000_000, 0),
            at(0, 0),
        ];
        assert!(ids.is_sorted(), "{ids:?}");
        assert_ne!(at(0, 0), at(0, 0));
    }

    #[test]
    fn text_round_trips_and_nothing_else_parses() {
        let id = PullId::from_bytes([0x5a; 12]);
        assert_eq!(id.to_string().parse::<PullId>().unwrap(), id);
        let error = "x".parse::<PullId>().unwrap_err();
        assert_eq!((error.code(), error.subject()), (Code::InvalidArgument, "x"));
    }
}
