//! Any bytes as a stored block whose checksum is right.

use bytes::Bytes;

use crate::block::Block;
use crate::stored_block::BlockSealer;
use crate::{Compression, DataBlock, checksum, decode_block};

/// More than any payload may become: snappy's growth is limited by the payload, that of Zstandard by this.
const MOST_BYTES: usize = 16 << 20;

/// The compression type and a payload; and the payload as contents that are compressed.
pub fn any_stored_block(bytes: &[u8]) {
    let Some((&compression_type, payload)) = bytes.split_first() else { return };
    let checksum = checksum::masked(payload, compression_type).to_le_bytes();
    let stored = [payload, &[compression_type], &checksum].concat();
    if let Ok(contents) = decode_block(&stored.into(), 0) {
        assert!(contents.len() <= MOST_BYTES.max(22 * payload.len()), "a block of {} bytes", contents.len());
        read_block(contents);
    }
    for compression in [Compression::None, Compression::Snappy, Compression::Zstd { level: 1 }] {
        compress(payload, compression);
    }
}

/// A block is read in full or to a defect; what is read ascends, and what ascends is found.
fn read_block(contents: Bytes) {
    let Ok(block) = Block::parse(contents, 0) else { return };
    let block = DataBlock::new(block);
    let mut cursor = block.cursor();
    let mut previous: Option<Vec<u8>> = None;
    while let Ok(Some((key, _))) = cursor.next() {
        assert!(previous.as_deref().is_none_or(|previous| previous < key), "keys ascend");
        // Damaged restart points may hide a record, but must not lead to another.
        let mut seeking = block.cursor();
        if seeking.seek(key).is_ok() {
            assert!(!matches!(seeking.next(), Ok(Some((found, _))) if found < key), "a seek goes back");
        }
        let read = previous.get_or_insert_default();
        read.clear();
        read.extend_from_slice(key);
    }
}

fn compress(contents: &[u8], compression: Compression) {
    let mut file = Vec::new();
    BlockSealer::new(compression).append(contents, &mut file);
    let back = decode_block(&file.into(), 0).expect("what was written is read");
    assert_eq!(back, contents, "what was written is what is read");
}
