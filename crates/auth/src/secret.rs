//! Text that must not be shown by accident, and how ids and secrets are made.

use std::fmt;

use braid_types::Random;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const BASE62: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What every access key id begins and ends with. lakeFS's ids have this form, and its tools look for it.
const KEY_ID_PREFIX: &str = "AKIAJ";
const KEY_ID_SUFFIX: &str = "Q";
const KEY_ID_CHARS: usize = 14;
const SECRET_CHARS: usize = 40;

/// The secret half of an access key: 40 characters of base62, about 238 bits. Never shown by `Debug`, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// This text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A fresh secret.
    pub(crate) fn random(random: &dyn Random) -> Self {
        Self::new(draw(random, BASE62, SECRET_CHARS))
    }

    /// The secret itself: for the one caller that it was made for, and for checking signatures.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `given` is this secret, in a time that tells nothing but whether the lengths are equal.
    pub(crate) fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A fresh access key id: `AKIAJ`, 14 characters of base32, `Q`.
pub(crate) fn random_key_id(random: &dyn Random) -> String {
    format!("{KEY_ID_PREFIX}{}{KEY_ID_SUFFIX}", draw(random, BASE32, KEY_ID_CHARS))
}

/// Draws characters, each as likely as any other: bytes beyond the last whole multiple of the alphabet are thrown away.
fn draw(random: &dyn Random, alphabet: &[u8], length: usize) -> String {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let bytes = Zeroizing::new(random.bytes::<32>());
        let usable = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(usable.take(length - text.len()).map(|byte| char::from(alphabet[byte % alphabet.len()])));
    }
    text
}

#[cfg(test)]
mod tests {
    use braid_types::SeededRandom;

    use super::*;

    #[test]
    fn ids_and_secrets_have_their_form() {
        let random = SeededRandom::new(1);
        let id = random_key_id(&random);
        assert_eq!(id.len(), 20);
        let rest = id.strip_prefix("AKIAJ").and_then(|rest| rest.strip_suffix('Q')).unwrap();
        assert!(rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{id}");
        let secret = Secret::random(&random);
        assert_eq!(secret.expose().len(), 40);
        assert!(secret.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(secret.expose(), Secret::random(&random).expose());
    }

    #[test]
    fn every_character_is_about_as_likely() {
        let drawn = draw(&SeededRandom::new(2), BASE62, 62_000);
        for character in BASE62 {
            let count = drawn.bytes().filter(|byte| byte == character).count();
            assert!((850..1150).contains(&count), "{} came {count} times", char::from(*character));
        }
    }

    #[test]
    fn a_secret_is_compared_whole_and_not_shown() {
        let secret = Secret::new("abc".to_owned());
        assert!(secret.is("abc"));
        for wrong in ["", "ab", "abd", "abcd"] {
            assert!(!secret.is(wrong), "{wrong}");
        }
        assert!(!format!("{secret:?}").contains("abc"));
    }
}
