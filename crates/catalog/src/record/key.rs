//! Building and taking apart keys.

use bytes::{BufMut, Bytes, BytesMut};

/// The first byte of every key of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Table {
    Branch = b'b',
    Commit = b'c',
    RepositoryFence = b'f',
    Dropped = b'i',
    Import = b'j',
    Lease = b'l',
    Upload = b'm',
    Namespace = b'n',
    Setting = b'o',
    PathChange = b'p',
    Request = b'q',
    Repository = b'r',
    Staging = b's',
    Tag = b't',
    Pull = b'u',
    RefChange = b'w',
}

/// The key `table | fields`, the fields one after another.
pub(super) fn key(table: Table, fields: &[&[u8]]) -> Bytes {
    let length = fields.iter().map(|field| field.len()).sum::<usize>() + 1;
    let mut key = BytesMut::with_capacity(length);
    key.put_u8(table as u8);
    for field in fields {
        key.put_slice(field);
    }
    key.freeze()
}

/// What follows the table tag and `prefix` in a key.
pub(super) fn rest<'a>(key: &'a [u8], table: Table, prefix: &[u8]) -> Option<&'a [u8]> {
    key.strip_prefix(&[table as u8])?.strip_prefix(prefix)
}
