//! What things in memory are called.

use std::hash::{Hash, Hasher};

/// A file of a storage namespace. Equal ids of two namespaces are equal files, but each has its own failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileKey {
    /// The namespace's number in this process.
    pub(crate) namespace: u32,
    pub(crate) id: [u8; 32],
}

/// A data block of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BlockKey {
    pub(crate) file: FileKey,
    pub(crate) block: u32,
}

impl FileKey {
    /// The key of a block. Blocks are counted in 32 bits: an index of more would be larger than any that is read.
    pub(crate) fn block(self, block: usize) -> BlockKey {
        BlockKey { file: self, block: u32::try_from(block).expect("an index has fewer than 2^32 blocks") }
    }
}

impl Hash for FileKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // An id is a hash itself, so a part of it tells files apart.
        let (start, _) = self.id.split_first_chunk().expect("an id has 32 bytes");
        state.write_u64(u64::from_ne_bytes(*start) ^ u64::from(self.namespace));
    }
}
