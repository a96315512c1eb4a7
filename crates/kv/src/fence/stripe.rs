//! The stored form of a stripe: `version (1) | sealed (0 or 1) | next (8, big endian) | epoch (8, big endian)`.

use bytes::{Buf, BufMut, Bytes, BytesMut};

const VERSION: u8 = 1;
const LENGTH: usize = 18;

/// What a lane's key holds; the default is that of a key that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stripe {
    /// No writer passes any more.
    pub(super) sealed: bool,
    /// The number that the next writer is given.
    pub(super) next: u64,
    /// How often the fence was held and left open.
    pub(super) epoch: u64,
}

impl Stripe {
    pub(super) fn encode(self) -> Bytes {
        let mut out = BytesMut::with_capacity(LENGTH);
        out.put_u8(VERSION);
        out.put_u8(u8::from(self.sealed));
        out.put_u64(self.next);
        out.put_u64(self.epoch);
        out.freeze()
    }

    /// The stripe, or nothing if the bytes are not one of this version.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        if bytes.len() != LENGTH || bytes.get_u8() != VERSION {
            return None;
        }
        let sealed = match bytes.get_u8() {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(Self { sealed, next: bytes.get_u64(), epoch: bytes.get_u64() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_stored_form_is_fixed() {
        let stripe = Stripe { sealed: true, next: 0x0102, epoch: 3 };
        assert_eq!(&stripe.encode()[..], b"\x01\x01\0\0\0\0\0\0\x01\x02\0\0\0\0\0\0\0\x03");
    }

    #[test]
    fn other_versions_and_torn_values_are_refused() {
        let good = Stripe::default().encode();
        assert_eq!(Stripe::decode(&good[..17]), None);
        for (at, byte) in [(0, 2), (1, 2)] {
            let mut bad = good.to_vec();
            bad[at] = byte;
            assert_eq!(Stripe::decode(&bad), None, "byte {at} = {byte}");
        }
    }

    proptest! {
        #[test]
        fn encoding_round_trips(sealed: bool, next: u64, epoch: u64) {
            let stripe = Stripe { sealed, next, epoch };
            prop_assert_eq!(Stripe::decode(&stripe.encode()), Some(stripe));
        }
    }
}
