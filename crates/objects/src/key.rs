//! A pair of access key and secret.

use std::fmt;

/// The key with which URLs of the local store are signed, and its endpoint answers. Made by the caller.
#[derive(Clone, PartialEq, Eq)]
pub struct InternalKey {
    /// The public half.
    pub access_key_id: String,
    /// The secret half; never shown.
    pub secret: String,
}

impl fmt::Debug for InternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InternalKey").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_secret_is_not_shown() {
        let key = super::InternalKey { access_key_id: "public".into(), secret: "hidden".into() };
        let shown = format!("{key:?}");
        assert!(shown.contains("public") && !shown.contains("hidden"), "{shown}");
    }
}
