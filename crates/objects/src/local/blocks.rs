//! The form of a content file: blocks of 64 KiB (the last one shorter), each followed by its CRC-32C, little
//! endian. A reader checks every block it touches, so damage is found in ranges too.

use std::io;
use std::ops::Range;

use super::files::{ReadFile, WriteFile};

const BLOCK: u64 = 64 << 10;
const SUM: u64 = 4;

/// A block is not what was written.
#[derive(Debug, thiserror::Error)]
#[error("checksum of block {number} differs")]
pub(super) struct DamagedBlock {
    /// Counted from the start of the content.
    number: u64,
}

impl DamagedBlock {
    /// Where in the content the block begins, in bytes.
    pub(super) fn offset(&self) -> u64 {
        self.number * BLOCK
    }
}

/// Writes a content file.
#[derive(Debug)]
pub(super) struct BlockWriter {
    file: Box<dyn WriteFile>,
    block: Vec<u8>,
    size: u64,
}

impl BlockWriter {
    pub(super) fn new(file: Box<dyn WriteFile>) -> Self {
        Self { file, block: Vec::new(), size: 0 }
    }

    /// Appends content.
    pub(super) fn append(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = length(BLOCK) - self.block.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.block.extend_from_slice(now);
            self.size += now.len() as u64;
            if self.block.len() == length(BLOCK) {
                self.write_block()?;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Writes what is left and makes all of it durable; answers the content's length.
    pub(super) fn finish(&mut self) -> io::Result<u64> {
        if !self.block.is_empty() {
            self.write_block()?;
        }
        self.file.sync()?;
        Ok(self.size)
    }

    fn write_block(&mut self) -> io::Result<()> {
        let sum = crc32c::crc32c(&self.block);
        self.block.extend_from_slice(&sum.to_le_bytes());
        self.file.write(&self.block)?;
        self.block.clear();
        Ok(())
    }
}

/// Appends `range` of a content file that holds `size` bytes of content to `out`.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] with a [`DamagedBlock`] if a block is not what was written.
pub(super) fn read(file: &dyn ReadFile, size: u64, range: Range<u64>, out: &mut Vec<u8>) -> io::Result<()> {
    assert!(range.start < range.end && range.end <= size, "a range within the content");
    let blocks = range.start / BLOCK..(range.end - 1) / BLOCK + 1;
    let start = blocks.start * BLOCK;
    let end = (blocks.end * BLOCK).min(size);
    let mut stored = vec![0; length(end - start + (blocks.end - blocks.start) * SUM)];
    file.read_at(&mut stored, blocks.start * (BLOCK + SUM))?;
    for (number, block) in blocks.zip(stored.chunks(length(BLOCK + SUM))) {
        let block = checked(block, number)?;
        let at = number * BLOCK;
        let from = range.start.saturating_sub(at);
        let to = (range.end - at).min(block.len() as u64);
        out.extend_from_slice(&block[length(from)..length(to)]);
    }
    Ok(())
}

fn checked(stored: &[u8], number: u64) -> io::Result<&[u8]> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, DamagedBlock { number });
    let (block, sum) = stored.split_last_chunk::<4>().ok_or_else(damaged)?;
    if crc32c::crc32c(block) != u32::from_le_bytes(*sum) {
        return Err(damaged());
    }
    Ok(block)
}

fn length(bytes: u64) -> usize {
    usize::try_from(bytes).expect("a read fits the address space")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl WriteFile for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl ReadFile for Buffer {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
            let bytes = self.0.lock().unwrap();
            let found = bytes.get(length(offset)..length(offset) + buffer.len());
            buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        }
    }

    fn content(size: usize) -> Vec<u8> {
        (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect()
    }

    fn written(content: &[u8], step: usize) -> Buffer {
        let buffer = Buffer::default();
        let mut writer = BlockWriter::new(Box::new(buffer.clone()));
        for chunk in content.chunks(step) {
            writer.append(chunk).unwrap();
        }
        assert_eq!(writer.finish().unwrap(), content.len() as u64);
        buffer
    }

    proptest! {
        #[test]
        fn any_range_reads_back(size in 1_usize..300_000, step in 1_usize..100_000, a in 0.0..1.0, b in 0.0..1.0) {
            let content = content(size);
            let file = written(&content, step);
            let place = |fraction: f64| (fraction * size as f64) as usize;
            let (from, to) = (place(a).min(place(b)), place(a).max(place(b)) + 1);
            let mut out = Vec::new();
            read(&file, size as u64, from as u64..to as u64, &mut out).unwrap();
            prop_assert_eq!(&out[..], &content[from..to]);
        }
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let content = content(70_000);
        let file = written(&content, 1 << 20);
        for at in [0, 65_535, 65_536, 65_539, 65_540, 70_003, 70_007] {
            file.0.lock().unwrap()[at] ^= 4;
            let error = read(&file, 70_000, 0..70_000, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{at}");
            file.0.lock().unwrap()[at] ^= 4;
        }
    }

    #[test]
    fn damage_elsewhere_does_not_hurt_a_range() {
        let content = content(70_000);
        let file = written(&content, 1 << 20);
        file.0.lock().unwrap()[5] ^= 4;
        let mut out = Vec::new();
        read(&file, 70_000, 65_536..70_000, &mut out).unwrap();
        assert_eq!(out, content[65_536..]);
    }
}
