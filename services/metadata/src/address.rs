//! Physical addresses of uploads: `data/<20 characters>/<20 characters>`, relative to the storage namespace, as lakeFS
//! lays data out.
//!
//! The first part is random, so that uploads spread over the object store's partitions; the second begins with the time.
//! Both are 12 bytes in base32 with the digits `0` to `9`, `a` to `v` (as in `xid`), which keeps the order of the bytes.

use braid_types::{Random, Time};

const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// A fresh address: 160 random bits, so that no two uploads share one.
pub(crate) fn fresh(now: Time, random: &dyn Random) -> String {
    let seconds = u32::try_from(now.seconds.clamp(0, i64::from(u32::MAX))).expect("it was clamped");
    let mut timed = random.bytes::<12>();
    timed[..4].copy_from_slice(&seconds.to_be_bytes());
    format!("data/{}/{}", encode(random.bytes()), encode(timed))
}

/// Base32 with the extended hexadecimal digits (RFC 4648, section 7) in lower case, without padding.
fn encode(bytes: [u8; 12]) -> String {
    let mut value = [0; 16];
    value[..12].copy_from_slice(&bytes);
    let bits = u128::from_be_bytes(value);
    let digit = |index: u32| usize::try_from((bits >> (123 - 5 * index)) & 31).expect("five bits fit");
    (0..20).map(|index| char::from(DIGITS[digit(index)])).collect()
}

#[cfg(test)]
mod tests {
    use braid_types::SeededRandom;

    use super::*;

    #[test]
    fn the_encoding_is_that_of_xid() {
        // The example of the xid format's own documentation.
        let bytes = [0x4d, 0x88, 0xe1, 0x5b, 0x60, 0xf4, 0x86, 0xe4, 0x28, 0x41, 0x2d, 0xc9];
        assert_eq!(encode(bytes), "9m4e2mr0ui3e8a215n4g");
    }

    #[test]
    fn addresses_have_their_form_and_differ() {
        let random = SeededRandom::new(1);
        let now = Time::from_seconds(1_700_000_000);
        let (one, two) = (fresh(now, &random), fresh(now, &random));
        let parts: Vec<&str> = one.split('/').collect();
        assert_eq!((parts[0], parts[1].len(), parts[2].len()), ("data", 20, 20));
        assert_ne!(one, two);
        let later = fresh(now.plus(std::time::Duration::from_secs(64)), &random);
        assert!(parts[2] < later.split('/').nth(2).unwrap());
    }
}
