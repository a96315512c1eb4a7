//! Blocks compressed with Zstandard, as RocksDB stores them from format version 2 on: the length of the contents as a varint, then
//! one frame.

use std::cell::RefCell;
use std::fmt;

use bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe;

use crate::{Defect, varint};

/// The longest contents that are stored, and read, as a frame, in bytes. A few bytes of a frame can become any number, so
/// that what they claim is only worth as much as this limit. Blocks of entries stay far below; a longer one is stored plainly.
pub(crate) const MAX_CONTENTS_BYTES: usize = 16 * 1024 * 1024;

/// The levels that are used. Those above want memory out of all proportion to a block, those below save nothing over snappy.
const LEVELS: std::ops::RangeInclusive<i32> = 1..=19;

thread_local! {
    /// A context is some hundred kilobytes, which to make takes longer than to decode a block.
    static DECODER: RefCell<Decompressor<'static>> =
        RefCell::new(Decompressor::new().expect("only a dictionary can be refused, and there is none"));
}

/// Compresses blocks, one after the other.
pub(crate) struct Encoder {
    compressor: Compressor<'static>,
    /// The length in front of the frame.
    length: Vec<u8>,
}

impl Encoder {
    /// An encoder of this level; numbers outside of 1 to 19 are taken as the nearest.
    pub(crate) fn new(level: i32) -> Self {
        let level = level.clamp(*LEVELS.start(), *LEVELS.end());
        let compressor = Compressor::new(level).expect("the level is in the range of levels");
        Self { compressor, length: Vec::new() }
    }

    /// Puts the compressed contents at the start of `room`, which grows to hold them, and returns their length. `None` if the
    /// contents are longer than is stored as a frame.
    pub(crate) fn compress(&mut self, contents: &[u8], room: &mut Vec<u8>) -> Option<usize> {
        if contents.len() > MAX_CONTENTS_BYTES {
            return None;
        }
        self.length.clear();
        varint::put(&mut self.length, contents.len() as u64);
        let bound = self.length.len() + zstd_safe::compress_bound(contents.len());
        room.resize(room.len().max(bound), 0);
        let (length, frame) = room.split_at_mut(self.length.len());
        length.copy_from_slice(&self.length);
        let written = self.compressor.compress_to_buffer(contents, frame);
        Some(
            length.len()
                + written.expect("the room is the format's own bound, and any bytes can be compressed"),
        )
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Encoder").finish_non_exhaustive()
    }
}

/// The contents of a compressed block. No more is allocated than they are claimed to take, which is limited.
pub(crate) fn uncompress(payload: &[u8]) -> Result<Bytes, Defect> {
    let (claimed, frame) = claimed_len(payload)?;
    let mut contents = Vec::with_capacity(claimed);
    let written = DECODER.with_borrow_mut(|decoder| decoder.decompress_to_buffer(frame, &mut contents));
    match written {
        Ok(found) if found == claimed => Ok(contents.into()),
        Ok(found) => Err(Defect::ZstdLength { claimed: claimed as u64, found: found as u64 }),
        Err(error) => Err(Defect::Zstd { reason: error.to_string() }),
    }
}

/// The length that a block's contents are claimed to have, by the block and by its frame, and the frame.
fn claimed_len(payload: &[u8]) -> Result<(usize, &[u8]), Defect> {
    let Some((claimed, len)) = varint::take_u32(payload) else {
        return Err(Defect::Zstd { reason: "the length of the contents cannot be read".to_owned() });
    };
    let (claimed, frame) = (u64::from(claimed), &payload[len..]);
    if claimed > MAX_CONTENTS_BYTES as u64 {
        return Err(Defect::ZstdClaim { claimed, limit: MAX_CONTENTS_BYTES as u64 });
    }
    match zstd_safe::get_frame_content_size(frame) {
        Ok(Some(found)) if found != claimed => Err(Defect::ZstdLength { claimed, found }),
        Ok(_) => Ok((claimed as usize, frame)),
        Err(_) => Err(Defect::Zstd { reason: "there is no frame".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn compress(contents: &[u8], level: i32) -> Vec<u8> {
        let mut room = Vec::new();
        let len = Encoder::new(level).compress(contents, &mut room).unwrap();
        room[..len].to_vec()
    }

    proptest! {
        #[test]
        fn contents_are_compressed_and_back(contents in vec(0..4u8, 0..3000), level in -5..25) {
            prop_assert_eq!(uncompress(&compress(&contents, level)).unwrap(), contents);
        }

        /// Blocks of equal contents are equal whatever was compressed before them.
        #[test]
        fn an_encoder_that_was_used_writes_what_a_fresh_one_does(blocks in vec(vec(0..4u8, 0..900), 2..6), level in 1..5) {
            let mut used = Encoder::new(level);
            let mut room = Vec::new();
            for block in &blocks {
                let len = used.compress(block, &mut room).unwrap();
                prop_assert_eq!(&room[..len], &compress(block, level));
            }
        }

        #[test]
        fn no_payload_makes_reading_panic(payload in vec(any::<u8>(), 0..60), at in any::<prop::sample::Index>(), byte: u8) {
            let _ = uncompress(&payload);
            let mut damaged = compress(&payload, 1);
            *at.get_mut(&mut damaged) = byte;
            let _ = uncompress(&damaged);
        }
    }

    #[test]
    fn a_claim_is_held_against_the_limit_and_the_frame() {
        let payload = compress(&[7; 300], 1);
        // Two bytes are the length: 300.
        let frame = &payload[2..];
        let claiming = |len: u64| {
            let mut bytes = Vec::new();
            varint::put(&mut bytes, len);
            uncompress(&[&bytes, frame].concat())
        };
        assert_eq!(claiming(300).unwrap(), [7; 300].as_slice());
        for claimed in [0, 299, 301, MAX_CONTENTS_BYTES as u64] {
            assert_eq!(claiming(claimed), Err(Defect::ZstdLength { claimed, found: 300 }));
        }
        let claimed = MAX_CONTENTS_BYTES as u64 + 1;
        assert_eq!(claiming(claimed), Err(Defect::ZstdClaim { claimed, limit: MAX_CONTENTS_BYTES as u64 }));
        assert!(matches!(claiming(1 << 32), Err(Defect::Zstd { .. })));
    }

    /// A frame need not say how long its contents are, and two may follow each other.
    #[test]
    fn frames_that_hold_more_or_less_than_is_claimed_are_refused() {
        let mut compressor = Compressor::new(1).unwrap();
        compressor.include_contentsize(false).unwrap();
        let frame = compressor.compress(&[7; 100]).unwrap();
        let claiming =
            |claimed: u8, frames: usize| uncompress(&[&[claimed], frame.repeat(frames).as_slice()].concat());
        assert_eq!(claiming(100, 1).unwrap(), [7; 100].as_slice());
        assert_eq!(claiming(101, 1), Err(Defect::ZstdLength { claimed: 101, found: 100 }));
        assert!(matches!(claiming(99, 1), Err(Defect::Zstd { .. })));
        assert!(matches!(claiming(100, 2), Err(Defect::Zstd { .. })));
        assert!(matches!(uncompress(&[5]), Err(Defect::Zstd { .. })));
        assert!(matches!(uncompress(&[]), Err(Defect::Zstd { .. })));
    }

    #[test]
    fn contents_that_would_not_be_read_are_not_compressed() {
        let mut encoder = Encoder::new(1);
        let mut room = Vec::new();
        let len = encoder.compress(&vec![0; MAX_CONTENTS_BYTES], &mut room).unwrap();
        assert_eq!(uncompress(&room[..len]).unwrap().len(), MAX_CONTENTS_BYTES);
        assert_eq!(encoder.compress(&vec![0; MAX_CONTENTS_BYTES + 1], &mut room), None);
    }
}
