//! Sealing: ChaCha20-Poly1305 (RFC 8439) under a key derived from the master key, with a random nonce.
//!
//! A sealed value is `nonce (12 bytes) | ciphertext | tag (16 bytes)`. What it belongs to goes in as associated data, so
//! a value that was moved to another record does not open.

use braid_types::Random;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use zeroize::Zeroizing;

use crate::MasterKey;

const NONCE_BYTES: usize = 12;

/// Seals and opens values.
pub(crate) struct Sealer(ChaCha20Poly1305);

/// What was to be opened was not sealed under this key for this owner, or was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsealable;

impl Sealer {
    pub(crate) fn new(master: &MasterKey) -> Self {
        let key = Zeroizing::new(master.derive("sealed secrets"));
        Self(ChaCha20Poly1305::new(&Key::from(*key)))
    }

    /// Seals `plain` for the record of `owner`.
    pub(crate) fn seal(&self, owner: &str, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        let nonce = random.bytes::<NONCE_BYTES>();
        let payload = Payload { msg: plain, aad: owner.as_bytes() };
        let sealed =
            self.0.encrypt(&Nonce::from(nonce), payload).expect("a secret is far below the cipher's limit");
        [&nonce[..], &sealed].concat()
    }

    /// Opens what was sealed for `owner`.
    pub(crate) fn open(&self, owner: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Unsealable)?;
        let payload = Payload { msg: rest, aad: owner.as_bytes() };
        self.0.decrypt(&Nonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| Unsealable)
    }
}

#[cfg(test)]
mod tests {
    use braid_types::SeededRandom;
    use proptest::prelude::*;

    use super::*;

    fn sealer(seed: u64) -> Sealer {
        Sealer::new(&MasterKey::generate(&SeededRandom::new(seed)))
    }

    proptest! {
        #[test]
        fn only_the_owner_and_the_key_open_what_was_sealed(
            plain in prop::collection::vec(any::<u8>(), 0..80),
            owner in "[A-Z]{4}",
        ) {
            let sealed = sealer(1).seal(&owner, &plain, &SeededRandom::new(9));
            prop_assert_eq!(&*sealer(1).open(&owner, &sealed).unwrap(), &plain);
            prop_assert!(sealer(2).open(&owner, &sealed).is_err());
            prop_assert!(sealer(1).open("other", &sealed).is_err());
        }

        #[test]
        fn any_flipped_bit_and_any_cut_is_noticed(at in 0usize..512, cut in 0usize..64) {
            let mut sealed = sealer(1).seal("owner", &[7; 36], &SeededRandom::new(9));
            prop_assert_eq!(sealed.len(), 64);
            prop_assert!(sealer(1).open("owner", &sealed[..cut]).is_err());
            sealed[at / 8] ^= 1 << (at % 8);
            prop_assert!(sealer(1).open("owner", &sealed).is_err());
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_to_the_same_bytes() {
        let random = SeededRandom::new(3);
        assert_ne!(sealer(1).seal("o", b"x", &random), sealer(1).seal("o", b"x", &random));
    }
}
