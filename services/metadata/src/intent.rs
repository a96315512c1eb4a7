//! Upload intents: what proves, when an upload is linked, that the address was given out for just this.
//!
//! An intent is `body | HMAC-SHA256(body)` in base64 for URLs. The body is protobuf and can be read by anyone; nobody
//! without the key can make one. Without it a caller could link, and so read, any object of the namespace.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use braid_types::{BranchName, Code, Error, IdentityHasher, ObjectPath, RepositoryId, Time};
use hmac::{Hmac, KeyInit, Mac};
use prost::Message;
use sha2::Sha256;

const MAC_BYTES: usize = 32;

/// What was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Intent {
    /// Where.
    pub(crate) place: Place,
    /// The physical address, relative to the repository's storage namespace.
    pub(crate) address: String,
    /// The type that the data must be stored with; may be empty.
    pub(crate) content_type: String,
    /// Until when it can be linked.
    pub(crate) expires: Time,
}

/// A path on a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) repository: RepositoryId,
    pub(crate) branch: BranchName,
    pub(crate) path: ObjectPath,
}

#[derive(Clone, PartialEq, Message)]
struct Body {
    #[prost(bytes = "vec", tag = "1")]
    repository: Vec<u8>,
    #[prost(string, tag = "2")]
    branch: String,
    #[prost(string, tag = "3")]
    path: String,
    #[prost(string, tag = "4")]
    address: String,
    #[prost(string, tag = "5")]
    content_type: String,
    #[prost(int64, tag = "6")]
    expires: i64,
}

/// Signs intents and checks them.
pub(crate) struct Intents {
    key: [u8; 32],
}

impl Intents {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// A name for the installation that has this key: the same on all its nodes, another one everywhere else. It tells
    /// nothing of the key.
    pub(crate) fn installation(&self) -> String {
        let hash = IdentityHasher::new().string("installation").bytes(&self.key).finish();
        hex::encode(&hash[..16])
    }

    /// The intent as text.
    pub(crate) fn sign(&self, intent: &Intent) -> String {
        let body = Body {
            repository: intent.place.repository.as_bytes().to_vec(),
            branch: intent.place.branch.to_string(),
            path: intent.place.path.to_string(),
            address: intent.address.clone(),
            content_type: intent.content_type.clone(),
            expires: intent.expires.seconds,
        };
        let mut bytes = body.encode_to_vec();
        let mac = self.mac(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The intent in `text`, if it was given out for `place` and can still be linked at `now`.
    ///
    /// # Errors
    /// [`Code::InvalidIntent`] says whether it is forged, expired or another place's.
    pub(crate) fn check(&self, text: &str, place: &Place, now: Time) -> Result<Intent, Error> {
        let path = &place.path;
        let refuse = |reason: String| {
            Err(Error::new(
                Code::InvalidIntent,
                path.as_str(),
                format!("the upload intent for '{path}' {reason}"),
            ))
        };
        let Some(intent) = self.open(text) else {
            return refuse("was not given out by this service".to_owned());
        };
        if intent.place.repository != place.repository {
            return refuse("belongs to another repository".to_owned());
        }
        if intent.place.branch != place.branch {
            return refuse(format!("belongs to branch '{}'", intent.place.branch));
        }
        if intent.place.path != place.path {
            return refuse(format!("belongs to path '{}'", intent.place.path));
        }
        if intent.expires <= now {
            return refuse(format!("expired at {}", intent.expires));
        }
        Ok(intent)
    }

    fn open(&self, text: &str) -> Option<Intent> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, mac) = bytes.split_last_chunk::<MAC_BYTES>()?;
        self.mac(body).verify_slice(mac).ok()?;
        let body = Body::decode(body).ok()?;
        let place = Place {
            repository: RepositoryId::from_slice(&body.repository)?,
            branch: BranchName::new(body.branch).ok()?,
            path: ObjectPath::new(body.path).ok()?,
        };
        let expires = Time::from_seconds(body.expires);
        Some(Intent { place, address: body.address, content_type: body.content_type, expires })
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(body);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            repository: RepositoryId::from_bytes([1; 16]),
            branch: BranchName::new("main").unwrap(),
            path: ObjectPath::new("a/b").unwrap(),
        }
    }

    fn intent() -> Intent {
        Intent {
            place: place(),
            address: "data/1/2".into(),
            content_type: "text/plain".into(),
            expires: Time::from_seconds(100),
        }
    }

    fn refusal(text: &str, place: &Place, now: i64) -> String {
        let error = Intents::new([7; 32]).check(text, place, Time::from_seconds(now)).unwrap_err();
        assert_eq!(error.code(), Code::InvalidIntent);
        error.to_string()
    }

    #[test]
    fn an_intent_is_good_for_its_place_until_it_expires() {
        let text = Intents::new([7; 32]).sign(&intent());
        assert_eq!(Intents::new([7; 32]).check(&text, &place(), Time::from_seconds(99)).unwrap(), intent());
        assert!(refusal(&text, &place(), 100).contains("expired at 1970-01-01T00:01:40Z"));
    }

    #[test]
    fn another_place_is_named() {
        let text = Intents::new([7; 32]).sign(&intent());
        let repository = Place { repository: RepositoryId::from_bytes([2; 16]), ..place() };
        assert!(refusal(&text, &repository, 0).contains("another repository"));
        let branch = Place { branch: BranchName::new("dev").unwrap(), ..place() };
        assert!(refusal(&text, &branch, 0).contains("branch 'main'"));
        let path = Place { path: ObjectPath::new("c").unwrap(), ..place() };
        assert!(refusal(&text, &path, 0).contains("path 'a/b'"));
    }

    #[test]
    fn no_other_text_is_an_intent() {
        let good = URL_SAFE_NO_PAD.decode(Intents::new([7; 32]).sign(&intent())).unwrap();
        for index in 0..good.len() {
            let mut flipped = good.clone();
            flipped[index] ^= 1;
            assert!(refusal(&URL_SAFE_NO_PAD.encode(flipped), &place(), 0).contains("not given out"));
        }
        let foreign = Intents::new([8; 32]).sign(&intent());
        for text in ["", "%", "AAAA", &foreign] {
            assert!(refusal(text, &place(), 0).contains("not given out"), "{text}");
        }
    }
}
