//! The end of a file, from which everything else is found.

use crate::{BlockHandle, Corruption, Defect};

/// Length of the footer, in bytes.
pub const FOOTER_LEN: usize = 53;

const MAGIC: u64 = 0x88e2_41b7_85f4_cff7;
const FORMAT_VERSION: u32 = 2;
const CHECKSUM_CRC32C: u8 = 1;
/// Where the handles, zero-padded, end in the footer. The checksum type is before them, version and magic number after.
const HANDLES_END: usize = 41;

/// The end of a file: the blocks that everything else is found from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footer {
    /// The block that names the other meta blocks.
    pub metaindex: BlockHandle,
    /// The index of the data blocks, or the top level of it.
    pub index: BlockHandle,
}

impl Footer {
    /// Reads the footer from `tail`, the last bytes of a file of `file_len` bytes: [`FOOTER_LEN`] of them, or more.
    pub fn parse(tail: &[u8], file_len: u64) -> Result<Self, Corruption> {
        let footer = last_bytes(tail)?;
        let Some(offset) = file_len.checked_sub(FOOTER_LEN as u64) else {
            return Err(Corruption::new(0, Defect::TooShort { len: file_len }));
        };
        let parsed = parse_fields(footer).map_err(|what| Corruption::new(offset, what))?;
        check_place(parsed.metaindex, offset)?;
        check_place(parsed.index, offset)?;
        Ok(parsed)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut footer = vec![CHECKSUM_CRC32C];
        footer.extend(self.metaindex.encode());
        footer.extend(self.index.encode());
        footer.resize(HANDLES_END, 0);
        footer.extend(FORMAT_VERSION.to_le_bytes());
        footer.extend(MAGIC.to_le_bytes());
        footer
    }
}

/// The length that the footer at the end of `tail` gives its file, if it stands right after the metaindex. Offsets of
/// corruptions are from the start of the tail.
pub(crate) fn file_len(tail: &[u8]) -> Result<u64, Corruption> {
    let offset = tail.len().saturating_sub(FOOTER_LEN) as u64;
    let footer = parse_fields(last_bytes(tail)?).map_err(|what| Corruption::new(offset, what))?;
    let end = footer.metaindex.end().and_then(|end| end.checked_add(FOOTER_LEN as u64));
    end.ok_or(Corruption::new(offset, Defect::FooterHandles))
}

fn last_bytes(tail: &[u8]) -> Result<&[u8; FOOTER_LEN], Corruption> {
    tail.last_chunk().ok_or(Corruption::new(0, Defect::TooShort { len: tail.len() as u64 }))
}

/// Refuses a block that does not end before `limit`, where the footer starts.
pub(crate) fn check_place(handle: BlockHandle, limit: u64) -> Result<(), Corruption> {
    if handle.end().is_some_and(|end| end <= limit) {
        return Ok(());
    }
    Err(Corruption::new(handle.offset, Defect::BlockOutside { size: handle.size, limit }))
}

fn parse_fields(footer: &[u8; FOOTER_LEN]) -> Result<Footer, Defect> {
    let (handles, end) = footer.split_at(HANDLES_END);
    let (version, magic) = end.split_at(4);
    let magic = u64::from_le_bytes(magic.try_into().expect("eight bytes follow the version"));
    if magic != MAGIC {
        return Err(Defect::Magic { found: magic });
    }
    let version = u32::from_le_bytes(version.try_into().expect("split after four bytes"));
    if version != FORMAT_VERSION {
        return Err(Defect::FormatVersion { found: version });
    }
    if handles[0] != CHECKSUM_CRC32C {
        return Err(Defect::ChecksumType { found: handles[0] });
    }
    parse_handles(&handles[1..])
}

fn parse_handles(handles: &[u8]) -> Result<Footer, Defect> {
    let (metaindex, metaindex_len) = BlockHandle::take(handles).ok_or(Defect::FooterHandles)?;
    let (index, index_len) = BlockHandle::take(&handles[metaindex_len..]).ok_or(Defect::FooterHandles)?;
    if handles[metaindex_len + index_len..].iter().any(|&byte| byte != 0) {
        return Err(Defect::FooterPadding);
    }
    Ok(Footer { metaindex, index })
}
