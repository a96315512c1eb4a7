//! The last bytes of a file, or all of it, and the blocks that stand there.

use std::ops::Range;

use bytes::Bytes;

use crate::block::Block;
use crate::{BlockHandle, Corruption, Defect, FOOTER_LEN, Footer, TRAILER_LEN, decode_block, footer};

/// The last bytes of a file whose length is known: a footer and what stands before it.
#[derive(Debug, Clone)]
pub(crate) struct FileTail {
    bytes: Bytes,
    file_len: u64,
    footer: Footer,
}

/// Why a block is not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It stands before the tail: so many last bytes of the file are needed.
    Short { needed: u64 },
    /// It is damaged, or what leads to it is.
    Corrupted(Corruption),
}

impl From<Corruption> for Unread {
    fn from(corruption: Corruption) -> Self {
        Self::Corrupted(corruption)
    }
}

impl FileTail {
    /// All of a file.
    pub(crate) fn whole(bytes: Bytes) -> Result<Self, Corruption> {
        let file_len = bytes.len() as u64;
        let footer = Footer::parse(&bytes, file_len)?;
        Ok(Self { bytes, file_len, footer })
    }

    /// The last bytes of a file. Its length, if it is not known, follows from the footer, which stands right after the
    /// metaindex in the files of this crate, of lakeFS and of RocksDB.
    pub(crate) fn new(bytes: Bytes, file_len: Option<u64>) -> Result<Self, Unread> {
        let len = bytes.len() as u64;
        let can_grow = file_len.is_none_or(|file_len| file_len >= FOOTER_LEN as u64);
        if len < FOOTER_LEN as u64 && can_grow {
            return Err(Unread::Short { needed: FOOTER_LEN as u64 });
        }
        let file_len = match file_len {
            Some(file_len) => file_len,
            None => footer::file_len(&bytes)?,
        };
        if file_len < len {
            return Err(Corruption::new(0, Defect::FileLength { stated: file_len, found: len }).into());
        }
        let footer = Footer::parse(&bytes, file_len)?;
        Ok(Self { bytes, file_len, footer })
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn file_len(&self) -> u64 {
        self.file_len
    }

    pub(crate) fn footer(&self) -> Footer {
        self.footer
    }

    /// Refuses a block that does not end before the footer.
    pub(crate) fn check_place(&self, handle: BlockHandle) -> Result<(), Corruption> {
        footer::check_place(handle, self.file_len - FOOTER_LEN as u64)
    }

    /// Makes sure that these blocks have a place in the file, and are in the tail.
    pub(crate) fn require(&self, handles: &[BlockHandle]) -> Result<(), Unread> {
        for handle in handles {
            self.check_place(*handle)?;
        }
        match handles.iter().map(|handle| handle.offset).min() {
            Some(first) if first < self.start() => Err(Unread::Short { needed: self.file_len - first }),
            _ => Ok(()),
        }
    }

    /// Reads a block that is in the tail, if it is in the file.
    pub(crate) fn read(&self, handle: BlockHandle) -> Result<Block, Corruption> {
        let contents = decode_block(&self.stored(handle)?, handle.offset)?;
        Block::parse(contents, handle.offset)
    }

    /// A block that is in the tail, if it is in the file: its payload and its trailer.
    pub(crate) fn stored(&self, handle: BlockHandle) -> Result<Bytes, Corruption> {
        Ok(self.bytes.slice(self.range(handle)?))
    }

    /// The same, borrowed.
    pub(crate) fn stored_slice(&self, handle: BlockHandle) -> Result<&[u8], Corruption> {
        Ok(&self.bytes[self.range(handle)?])
    }

    fn range(&self, handle: BlockHandle) -> Result<Range<usize>, Corruption> {
        self.check_place(handle)?;
        let start =
            handle.offset.checked_sub(self.start()).expect("it was made sure that the tail has the block");
        let start = start as usize;
        Ok(start..start + handle.size as usize + TRAILER_LEN)
    }

    /// Where the tail starts in the file.
    fn start(&self) -> u64 {
        self.file_len - self.bytes.len() as u64
    }
}
