//! Builds one block: entries with prefix-compressed keys, then the restart points.

use crate::{key, varint};

/// Builds a block from keys in ascending order, and then the next.
#[derive(Debug)]
pub(crate) struct BlockBuilder {
    restart_interval: usize,
    contents: Vec<u8>,
    restarts: Vec<u32>,
    count: usize,
    last_key: Vec<u8>,
}

impl BlockBuilder {
    /// A builder that stores every `restart_interval`th key whole; at least one.
    pub(crate) fn new(restart_interval: usize) -> Self {
        Self { restart_interval, contents: Vec::new(), restarts: Vec::new(), count: 0, last_key: Vec::new() }
    }

    /// Appends an entry.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        let shared = if self.at_restart() { self.restart() } else { key::shared_prefix(&self.last_key, key) };
        varint::put(&mut self.contents, shared as u64);
        varint::put(&mut self.contents, (key.len() - shared) as u64);
        varint::put(&mut self.contents, value.len() as u64);
        self.contents.extend_from_slice(&key[shared..]);
        self.contents.extend_from_slice(value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(&key[shared..]);
        self.count += 1;
    }

    /// Whether the next key will be stored whole.
    pub(crate) fn at_restart(&self) -> bool {
        self.count.is_multiple_of(self.restart_interval)
    }

    /// How many entries the block has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The block's length in bytes if it were finished now.
    pub(crate) fn len(&self) -> usize {
        self.contents.len() + 4 * self.restarts.len() + 4
    }

    /// The key added last, in this block or in one before it; empty if there was none.
    pub(crate) fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// Goes on behind this key, which is stored elsewhere. The block has no entries.
    pub(crate) fn pass(&mut self, key: &[u8]) {
        debug_assert_eq!(self.count, 0, "entries would lose the key that they share with");
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
    }

    /// Ends the block and hands its contents to `store`; the builder then starts the next.
    pub(crate) fn finish<T>(&mut self, store: impl FnOnce(&[u8]) -> T) -> T {
        if self.restarts.is_empty() {
            // Readers want at least one restart point, even in a block without entries.
            self.restarts.push(0);
        }
        let count = u32::try_from(self.restarts.len()).expect("a block has fewer restart points than bytes");
        for word in self.restarts.iter().chain([&count]) {
            self.contents.extend(word.to_le_bytes());
        }
        let stored = store(&self.contents);
        self.contents.clear();
        self.restarts.clear();
        self.count = 0;
        stored
    }

    /// Notes a restart point, where nothing is shared.
    fn restart(&mut self) -> usize {
        let at = u32::try_from(self.contents.len())
            .expect("limits of keys, values and properties keep blocks below 4 GiB");
        self.restarts.push(at);
        0
    }
}
