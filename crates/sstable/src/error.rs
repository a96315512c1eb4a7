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

/// What is wrong with a table's bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The file cannot hold a footer.
    #[error("a file of {len} bytes cannot hold a footer")]
    TooShort {
        /// The file's length in bytes.
        len: u64,
    },
}

/// Why a record, or a whole table, was not written. Nothing was added when it is returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Keys must strictly ascend in byte order.
    #[error("key {:?} does not come after {:?}", key.escape_ascii().to_string(), previous.escape_ascii().to_string())]
    KeyOrder {
        /// The key that was added before.
        previous: Vec<u8>,
        /// The refused key.
        key: Vec<u8>,
    },
}
