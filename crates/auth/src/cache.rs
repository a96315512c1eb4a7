//! Keys that were read a moment ago, so that not every call asks the store.
//!
//! A key that was taken away is refused everywhere one [`TIME_TO_LIVE`] later. Only keys that exist are kept: callers
//! who guess cannot fill the cache.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use braid_types::Time;
use parking_lot::Mutex;

use crate::Secret;

/// How long a key is taken as it was read.
pub(crate) const TIME_TO_LIVE: Duration = Duration::from_secs(10);

/// Most keys kept.
const CAPACITY: usize = 10_000;

/// A key with its secret opened.
#[derive(Debug)]
pub(crate) struct OpenedKey {
    pub(crate) user: String,
    pub(crate) secret: Secret,
}

#[derive(Debug, Default)]
pub(crate) struct KeyCache(Mutex<HashMap<String, (Time, Arc<OpenedKey>)>>);

impl KeyCache {
    /// The key, if it was read at most [`TIME_TO_LIVE`] before `now`.
    pub(crate) fn get(&self, id: &str, now: Time) -> Option<Arc<OpenedKey>> {
        let keys = self.0.lock();
        let (read, key) = keys.get(id)?;
        is_fresh(*read, now).then(|| Arc::clone(key))
    }

    /// Keeps a key that was read at `now`. A full cache first loses what is stale, and if that is nothing, everything.
    pub(crate) fn insert(&self, id: &str, key: Arc<OpenedKey>, now: Time) {
        let mut keys = self.0.lock();
        if keys.len() >= CAPACITY {
            keys.retain(|_, (read, _)| is_fresh(*read, now));
        }
        if keys.len() >= CAPACITY {
            keys.clear();
        }
        keys.insert(id.to_owned(), (now, key));
    }

    /// Forgets a key that was taken away.
    pub(crate) fn remove(&self, id: &str) {
        self.0.lock().remove(id);
    }
}

/// A clock that was set back makes nothing fresh.
fn is_fresh(read: Time, now: Time) -> bool {
    read <= now && now.since(read) < TIME_TO_LIVE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Arc<OpenedKey> {
        Arc::new(OpenedKey { user: "ada".to_owned(), secret: Secret::new("s".to_owned()) })
    }

    #[test]
    fn keys_grow_stale() {
        let cache = KeyCache::default();
        let read = Time::from_seconds(100);
        cache.insert("a", key(), read);
        assert!(cache.get("a", read).is_some());
        assert!(cache.get("b", read).is_none());
        assert!(cache.get("a", read.plus(TIME_TO_LIVE)).is_none());
        assert!(cache.get("a", Time::from_seconds(99)).is_none());
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = KeyCache::default();
        for index in 0..=CAPACITY {
            cache.insert(&index.to_string(), key(), Time::from_seconds(1));
        }
        assert!(cache.0.lock().len() <= CAPACITY);
        assert!(cache.get(&CAPACITY.to_string(), Time::from_seconds(1)).is_some());
    }
}
