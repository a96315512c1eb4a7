//! What is wrong with a file that is read, or with what is to be written.

/// Bytes that are not a table this crate reads: damaged, cut short, or of another kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("corrupted table at offset {offset}: {what}")]
pub struct Corruption {
    /// Where the damaged block or footer starts, in bytes from the start of the file.
    pub offset: u64,
    /// What is wrong there.
    pub what: Defect,
}

impl Corruption {
    pub(crate) fn new(offset: u64, what: Defect) -> Self {
        Self { offset, what }
    }
}

/// What is wrong with a table's bytes. `at` is an entry's offset within its block's uncompressed contents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The file cannot hold a footer.
    #[error("{len} bytes cannot hold a footer")]
    TooShort {
        /// Length in bytes of what there is.
        len: u64,
    },
    /// The file does not end like a block-based table.
    #[error("magic number {found:#018x} is not a block-based table's")]
    Magic {
        /// The number found.
        found: u64,
    },
    /// Only format version 2 is read.
    #[error("format version {found} is not 2")]
    FormatVersion {
        /// The version found.
        found: u32,
    },
    /// Only CRC32C is read.
    #[error("checksum type {found} is not crc32c (1)")]
    ChecksumType {
        /// The type found.
        found: u8,
    },
    /// The footer's block handles are cut short, or overflow.
    #[error("the footer's block handles cannot be read")]
    FooterHandles,
    /// The footer's unused bytes are not zero.
    #[error("the footer's padding is not zero")]
    FooterPadding,
    /// There is more of the file than its footer leaves room for.
    #[error("the footer ends a file of {stated} bytes, there are {found}")]
    FileLength {
        /// The length that the footer gives the file, in bytes.
        stated: u64,
        /// Length in bytes of what there is.
        found: u64,
    },
    /// What is given as a block of the table is longer or shorter than the index says.
    #[error("{found} bytes are not the block, which has {stated}")]
    BlockLength {
        /// The length that the index says, in bytes, with the trailer.
        stated: u64,
        /// Length in bytes of what is given.
        found: u64,
    },
    /// What is given as a stored block cannot even hold its trailer.
    #[error("{len} bytes cannot hold a block")]
    BlockTooShort {
        /// Length in bytes of what there is.
        len: usize,
    },
    /// A handle points outside of the part of the file that holds blocks.
    #[error("a block of {size} bytes does not fit before offset {limit}")]
    BlockOutside {
        /// The length the handle claims, in bytes, without the trailer.
        size: u64,
        /// Where the file's blocks end.
        limit: u64,
    },
    /// The block's bytes are not those that were written.
    #[error("checksum {stored:#010x} is stored, the bytes have {computed:#010x}")]
    Checksum {
        /// The checksum in the block's trailer.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// The block is compressed in a way that is not read.
    #[error("compression type {found} is neither none (0), snappy (1) nor zstd (7)")]
    CompressionType {
        /// The type found.
        found: u8,
    },
    /// A compressed block claims more bytes than snappy can make of it.
    #[error("{stored} bytes of snappy cannot become the {claimed} they claim")]
    SnappyClaim {
        /// Uncompressed length that is claimed, in bytes.
        claimed: u64,
        /// Compressed length, in bytes.
        stored: u64,
    },
    /// A compressed block cannot be uncompressed.
    #[error("snappy: {reason}")]
    Snappy {
        /// The decoder's words.
        reason: String,
    },
    /// A block compressed with Zstandard claims more bytes than a block has.
    #[error("a block claims to become {claimed} bytes, more than {limit}")]
    ZstdClaim {
        /// Uncompressed length that is claimed, in bytes.
        claimed: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A block compressed with Zstandard does not have the length it claims.
    #[error("a block claims to become {claimed} bytes, its frame has {found}")]
    ZstdLength {
        /// Uncompressed length that is claimed, in bytes.
        claimed: u64,
        /// The length that the frame says, or has.
        found: u64,
    },
    /// A block compressed with Zstandard cannot be uncompressed.
    #[error("zstd: {reason}")]
    Zstd {
        /// The decoder's words.
        reason: String,
    },
    /// The number of restart points is zero, or does not fit the block.
    #[error("{count} restart points do not fit a block of {len} bytes")]
    RestartCount {
        /// The number stored; zero if the block has no room for one.
        count: u64,
        /// The block's uncompressed length in bytes.
        len: usize,
    },
    /// Restart points do not ascend from zero within the block's entries.
    #[error("restart point {index} is at {at}, out of place")]
    RestartOffset {
        /// The restart point's number.
        index: usize,
        /// What it says.
        at: usize,
    },
    /// A restart point does not lead to an entry with a whole key.
    #[error("restart point {at} does not lead to an entry that stores its key whole")]
    RestartEntry {
        /// Where it leads.
        at: usize,
    },
    /// An entry's lengths are cut short, or overflow.
    #[error("the lengths of the entry at {at} cannot be read")]
    EntryLengths {
        /// The entry.
        at: usize,
    },
    /// An entry runs past the end of its block's entries.
    #[error("the entry at {at} runs past the block's entries")]
    EntryEnd {
        /// The entry.
        at: usize,
    },
    /// An entry claims more of the key before it than there is.
    #[error("the entry at {at} shares {shared} bytes with a key of {previous}")]
    SharedPrefix {
        /// The entry.
        at: usize,
        /// How many bytes it claims to share.
        shared: usize,
        /// How many there are.
        previous: usize,
    },
    /// A key has no room for its trailer.
    #[error("the key of the entry at {at} has {len} bytes, too few for a trailer")]
    KeyLength {
        /// The entry.
        at: usize,
        /// The key's length in bytes.
        len: usize,
    },
    /// Keys do not strictly ascend.
    #[error("the key of the entry at {at} does not come after the key before it")]
    KeyOrder {
        /// The entry.
        at: usize,
    },
    /// A record that is not a plain value: a deletion, a merge operand.
    #[error("the record at {at} is of kind {kind}, not a plain value (1)")]
    RecordKind {
        /// The entry.
        at: usize,
        /// The kind found.
        kind: u8,
    },
    /// An index entry's value is not one block handle.
    #[error("the value of the index entry at {at} is not a block handle")]
    IndexValue {
        /// The entry.
        at: usize,
    },
    /// The separators in the index are longer than any table needs.
    #[error("the keys of the index take more than {limit} bytes")]
    IndexTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The index's blocks overlap, or do not stand in key order.
    #[error("the index entry at {at} points at bytes before the end of the block before it")]
    IndexOverlap {
        /// The entry.
        at: usize,
    },
    /// A block's keys are not between its separator and the one before.
    #[error("the keys of the block are not between its separators in the index")]
    SeparatorBounds,
    /// The metaindex has no properties block.
    #[error("the metaindex names no properties block")]
    NoProperties,
    /// A range deletion that may hide records; those are not read.
    #[error("the range deletion at {at} may hide records, which is not supported")]
    RangeDeletion {
        /// The entry.
        at: usize,
    },
    /// The properties are longer than any table's are.
    #[error("the properties take more than {limit} bytes")]
    PropertiesTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A property's name is not UTF-8.
    #[error("the name of the property at {at} is not UTF-8")]
    PropertyName {
        /// The entry.
        at: usize,
    },
    /// A property that reading needs is absent.
    #[error("property {name:?} is absent")]
    PropertyAbsent {
        /// The property.
        name: &'static str,
    },
    /// A property has a value that cannot be read, or that says that the table is of a kind that is not read.
    #[error("property {name:?} has the value \"{}\", which is not supported", value.escape_ascii())]
    PropertyValue {
        /// The property.
        name: &'static str,
        /// Its raw value.
        value: Vec<u8>,
    },
    /// A property that counts something disagrees with the table.
    #[error("property {name:?} says {stated}, the table has {found}")]
    PropertyCount {
        /// The property.
        name: &'static str,
        /// What it says.
        stated: u64,
        /// What is there.
        found: u64,
    },
}

/// Why a record, or a whole table, was not written. A refused record leaves the writer as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Keys must strictly ascend in byte order.
    #[error("key \"{}\" does not come after \"{}\"", key.escape_ascii(), previous.escape_ascii())]
    KeyOrder {
        /// The key that was added before.
        previous: Vec<u8>,
        /// The refused key.
        key: Vec<u8>,
    },
    /// The key is longer than [`MAX_KEY_BYTES`](crate::MAX_KEY_BYTES).
    #[error("a key of {len} bytes is longer than {limit}; it begins with \"{}\"", start.escape_ascii())]
    KeyTooLong {
        /// The refused key's first bytes.
        start: Vec<u8>,
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The value is longer than [`MAX_VALUE_BYTES`](crate::MAX_VALUE_BYTES).
    #[error("the value of key \"{}\" has {len} bytes, more than {limit}", key.escape_ascii())]
    ValueTooLong {
        /// The key of the refused record.
        key: Vec<u8>,
        /// The value's length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The properties together are longer than [`MAX_PROPERTIES_BYTES`](crate::MAX_PROPERTIES_BYTES).
    #[error("properties of {len} bytes are longer than {limit}")]
    PropertiesTooLong {
        /// Length of all names and values, in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Names that begin with `rocksdb.` are the format's own.
    #[error("property {name:?} has a name that the format keeps for itself")]
    ReservedProperty {
        /// The refused name.
        name: String,
    },
}
