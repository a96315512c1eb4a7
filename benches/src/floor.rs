//! What every file of ranges costs whoever writes it: its records hashed, and its blocks, without what keys share with the ones
//! before them, compressed and checksummed.

use std::collections::BTreeMap;

use braid_sstable::{BlockEnds, Compression, RecordHasher, Writer, WriterOptions};
use braid_tree::Record;
use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

/// A block as the floor stores it.
pub(crate) struct Block {
    compressed: Vec<u8>,
    checksum: u32,
}

/// The id of a range of these records.
pub(crate) fn hash(records: &[Record]) -> [u8; 32] {
    let mut hasher = RecordHasher::new();
    for Record { key, value } in records {
        hasher.add(key, value.as_bytes());
    }
    hasher.finish(&BTreeMap::from([("type".to_owned(), "ranges".to_owned())]))
}

/// The file of a range of these records, without its id.
pub(crate) fn encode(records: &[Record], options: WriterOptions) -> anyhow::Result<Vec<u8>> {
    let mut writer = Writer::new(options);
    for Record { key, value } in records {
        writer.add(key, value.as_bytes())?;
    }
    Ok(writer.finish(&BTreeMap::from([("type".to_owned(), b"ranges".to_vec())]))?)
}

/// Blocks with these records, about as long as these make them, uncompressed.
pub(crate) fn blocks(records: &[Record], ends: BlockEnds) -> Vec<Vec<u8>> {
    let block_bytes = match ends {
        BlockEnds::Size(size) => size,
        BlockEnds::Content { min, max, .. } => min.midpoint(max),
    };
    let mut blocks = vec![Vec::new()];
    let mut previous: &[u8] = &[];
    for Record { key, value } in records {
        let block = blocks.last_mut().expect("there is always one");
        block.extend_from_slice(&key[shared(previous, key)..]);
        block.extend_from_slice(value.as_bytes());
        previous = key;
        if block.len() >= block_bytes {
            blocks.push(Vec::new());
        }
    }
    blocks
}

/// With how many equal bytes two keys begin.
fn shared(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// Compresses in room that it keeps.
pub(crate) struct Packer {
    kind: Kind,
    room: Vec<u8>,
}

enum Kind {
    None,
    Snappy(Box<Encoder>),
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Packer {
    pub(crate) fn new(compression: Compression) -> anyhow::Result<Self> {
        let kind = match compression {
            Compression::None => Kind::None,
            Compression::Snappy => Kind::Snappy(Box::new(Encoder::new())),
            Compression::Zstd { level } => Kind::Zstd(zstd::bulk::Compressor::new(level)?),
        };
        Ok(Self { kind, room: Vec::new() })
    }

    /// The block compressed, with its checksum.
    pub(crate) fn pack(&mut self, block: &[u8]) -> anyhow::Result<Block> {
        let compressed = match &mut self.kind {
            Kind::None => block.to_vec(),
            Kind::Snappy(encoder) => {
                self.room.resize(self.room.len().max(max_compress_len(block.len())), 0);
                let len = encoder.compress(block, &mut self.room)?;
                self.room[..len].to_vec()
            }
            Kind::Zstd(compressor) => compressor.compress(block)?,
        };
        Ok(Block { checksum: crc32c::crc32c(&compressed), compressed })
    }
}

/// Checks and decompresses blocks that were packed with snappy.
pub(crate) fn unpack(blocks: &[Block]) -> anyhow::Result<()> {
    let mut decoder = Decoder::new();
    let mut room = Vec::new();
    for Block { compressed, checksum } in blocks {
        anyhow::ensure!(crc32c::crc32c(compressed) == *checksum, "memory changed");
        room.resize(room.len().max(decompress_len(compressed)?), 0);
        decoder.decompress(compressed, &mut room)?;
        std::hint::black_box(&room);
    }
    Ok(())
}
