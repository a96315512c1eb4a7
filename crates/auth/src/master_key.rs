//! The master key: what every stored secret is sealed under, and other keys are derived from.

use std::fmt;
use std::str::FromStr;

use braid_types::Random;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 32 random bytes that an installation keeps to itself. Whoever has them can read every stored secret.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// The text is not a master key. It is not repeated here: it may be a mistyped one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a master key has 64 hexadecimal digits; this text has {length} characters or holds others")]
pub struct InvalidMasterKey {
    /// How many characters the text has.
    pub length: usize,
}

impl MasterKey {
    /// A fresh master key.
    pub fn generate(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random.bytes()))
    }

    /// The key as 64 hexadecimal digits, to be kept in a file that nobody else can read.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(*self.0))
    }

    /// A key of its own for each `purpose`: HMAC-SHA256 under the master key. It tells nothing of the master key or of
    /// the keys for other purposes.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).expect("HMAC takes a key of any length");
        mac.update(b"braid ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl FromStr for MasterKey {
    type Err = InvalidMasterKey;

    /// Parses what [`MasterKey::to_hex`] printed; blanks around it do not matter.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let mut bytes = Zeroizing::new([0; 32]);
        let decoded = hex::decode_to_slice(text, &mut *bytes);
        decoded.map(|()| Self(bytes)).map_err(|_| InvalidMasterKey { length: text.chars().count() })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use braid_types::SeededRandom;

    use super::*;

    #[test]
    fn text_round_trips() {
        let key = MasterKey::generate(&SeededRandom::new(1));
        let parsed: MasterKey = format!("  {}\n", *key.to_hex()).parse().unwrap();
        assert_eq!(parsed.to_hex(), key.to_hex());
        assert!(!format!("{key:?}").contains(&key.to_hex()[..8]));
    }

    #[test]
    fn other_texts_are_refused_without_being_repeated() {
        for wrong in ["", "abc", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64)] {
            let error = wrong.parse::<MasterKey>().unwrap_err();
            assert_eq!(error.length, wrong.len());
        }
        assert!(!"feedbeef".parse::<MasterKey>().unwrap_err().to_string().contains("feedbeef"));
    }

    #[test]
    fn purposes_and_master_keys_give_different_keys() {
        let random = SeededRandom::new(2);
        let (one, two) = (MasterKey::generate(&random), MasterKey::generate(&random));
        assert_eq!(one.derive("a"), one.clone().derive("a"));
        assert_ne!(one.derive("a"), one.derive("b"));
        assert_ne!(one.derive("a"), two.derive("a"));
    }
}
