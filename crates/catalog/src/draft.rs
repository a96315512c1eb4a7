//! A state as it is to be: rows that are not written yet, in front of a snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use braid_kv::{KeyRange, KvError, ScanOptions, Snapshot};
use bytes::Bytes;

use crate::view::Reads;

/// A snapshot with rows in front of it. Nothing is ever absent that the snapshot has.
pub(crate) struct Draft {
    snapshot: Arc<dyn Snapshot>,
    rows: BTreeMap<Bytes, Bytes>,
}

impl Draft {
    pub(crate) fn new(snapshot: Arc<dyn Snapshot>) -> Self {
        Self { snapshot, rows: BTreeMap::new() }
    }

    /// The state behind the rows.
    pub(crate) fn snapshot(&self) -> &Arc<dyn Snapshot> {
        &self.snapshot
    }

    /// Puts a row, in place of any before.
    pub(crate) fn put(&mut self, key: Bytes, value: Bytes) {
        self.rows.insert(key, value);
    }
}

#[async_trait]
impl Reads for Draft {
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        match self.rows.get(key) {
            Some(value) => Ok(Some(value.clone())),
            None => self.snapshot.get(key).await,
        }
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        let below = self.snapshot.get_many(keys).await?;
        let own = keys.iter().map(|key| self.rows.get(key).cloned());
        Ok(own.zip(below).map(|(own, below)| own.or(below)).collect())
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        let below = self.snapshot.scan(range, options).await?;
        let own: Vec<_> = self.rows.iter().filter(|(key, _)| range.contains(key)).collect();
        if own.is_empty() {
            return Ok(below);
        }
        let mut merged: BTreeMap<Bytes, Bytes> = below.into_iter().collect();
        for (key, value) in own {
            let value = if options.keys_only { Bytes::new() } else { value.clone() };
            merged.insert(key.clone(), value);
        }
        let limit = options.limit;
        Ok(match options.reverse {
            false => merged.into_iter().take(limit).collect(),
            true => merged.into_iter().rev().take(limit).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use braid_kv::{Kv, Memory, MemorySettings, Mode, Outcome};
    use braid_types::{ManualClock, Time};

    use super::*;

    fn b(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[tokio::test]
    async fn rows_of_a_draft_are_read_in_place_among_those_of_its_snapshot() {
        let clock = Arc::new(ManualClock::at(Time::default()));
        let kv = Memory::new(MemorySettings::default(), clock);
        let mut txn = kv.begin(Mode::Optimistic).await.unwrap();
        for key in ["a", "c", "e"] {
            txn.put(b(key), b("below"));
        }
        assert!(matches!(txn.commit().await, Outcome::Committed(_)));
        let mut draft = Draft::new(kv.snapshot().await.unwrap());
        for key in ["b", "c", "x"] {
            draft.put(b(key), b("own"));
        }
        assert_eq!(draft.get(b"c").await.unwrap(), Some(b("own")));
        assert_eq!(draft.get(b"e").await.unwrap(), Some(b("below")));
        let many = draft.get_many(&[b("a"), b("b"), b("z")]).await.unwrap();
        assert_eq!(many, [Some(b("below")), Some(b("own")), None]);
        let scan = async |options| {
            let rows = draft.scan(&KeyRange::new(b("a"), b("f")), options).await.unwrap();
            rows.iter()
                .map(|(key, value)| format!("{}{}", key.escape_ascii(), value.len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(scan(ScanOptions::first(9)).await, ["a5", "b3", "c3", "e5"]);
        assert_eq!(scan(ScanOptions::first(2).keys_only()).await, ["a0", "b0"]);
        assert_eq!(scan(ScanOptions::last(3)).await, ["e5", "c3", "b3"]);
    }
}
