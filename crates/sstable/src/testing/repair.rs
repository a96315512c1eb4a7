//! Makes checksums right, so that what is behind them is reached.

use bytes::Bytes;

use crate::block::Block;
use crate::file_tail::FileTail;
use crate::index::{self, IndexCursor};
use crate::{BlockHandle, TRAILER_LEN, checksum, metaindex, properties};

/// The same file with the right checksum for each block that can be found from its footer.
pub(super) fn repair(file: &[u8]) -> Vec<u8> {
    let mut repairing = Repairing { file: file.to_vec() };
    // What is found is right up to where this stops.
    let _stopped = repairing.all();
    repairing.file
}

struct Repairing {
    file: Vec<u8>,
}

impl Repairing {
    fn all(&mut self) -> Option<()> {
        let footer = FileTail::whole(self.file.clone().into()).ok()?.footer();
        let metaindex = metaindex::parse(self.block(footer.metaindex)?).ok()?;
        for handle in metaindex.range_deletions {
            self.block(handle)?;
        }
        let properties = properties::parse(self.block(metaindex.properties)?).ok()?;
        let top = self.block(footer.index)?;
        let is_top = properties::has_two_levels(&properties).ok()?;
        for handle in self.handles(&top)? {
            let block = self.block(handle);
            for data in
                block.filter(|_| is_top).and_then(|partition| self.handles(&partition)).into_iter().flatten()
            {
                self.block(data);
            }
        }
        Some(())
    }

    /// Where the entries of a block of the index lead.
    fn handles(&self, block: &Block) -> Option<Vec<BlockHandle>> {
        let file = FileTail::whole(self.file.clone().into()).ok()?;
        let mut handles = Vec::new();
        index::walk(IndexCursor::new(block.clone(), false), &file, |_, handle| {
            handles.push(handle);
            Ok(())
        })
        .ok()?;
        Some(handles)
    }

    /// Makes a block's checksum right and reads it.
    fn block(&mut self, handle: BlockHandle) -> Option<Block> {
        let (start, end) = (usize::try_from(handle.offset).ok()?, usize::try_from(handle.end()?).ok()?);
        let stored = self.file.get_mut(start..end)?;
        let payload_len = stored.len() - TRAILER_LEN;
        let computed = checksum::masked(&stored[..payload_len], stored[payload_len]);
        stored[payload_len + 1..].copy_from_slice(&computed.to_le_bytes());
        let contents = crate::decode_block(&Bytes::copy_from_slice(stored), handle.offset).ok()?;
        Block::parse(contents, handle.offset).ok()
    }
}
