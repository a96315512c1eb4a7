//! What lies in the file: a table of data, and one of facts about the store.

use crate::{KvError, Timestamp};
use braid_types::Random;
use redb::{
    Database, DatabaseError, ReadTransaction, ReadableDatabase, StorageError, Table, TableDefinition,
    TableError, WriteTransaction,
};
use std::fmt::Display;

/// The keys of the store, as they are, and its values as in `record.rs`.
pub(super) const DATA: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("data");
/// Facts about the store.
const FACTS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("braid-kv");

/// The newest format that is understood, and the one written: a `u32`, big endian.
const FORMAT_FACT: &str = "format";
pub(super) const FORMAT: u32 = 1;
/// 16 random bytes.
const STORE_ID_FACT: &str = "store id";
/// The greatest timestamp of a commit: a `u64`, big endian. Written with every commit.
const LAST_FACT: &str = "last timestamp";

/// Makes an empty file a store and checks any other; gives the store's id.
pub(super) fn prepare(database: &Database, random: &dyn Random) -> Result<[u8; 16], KvError> {
    let read = database.begin_read().map_err(|error| failure("open the store", error))?;
    if read.list_tables().map_err(|error| failure("open the store", error))?.next().is_none() {
        drop(read);
        create(database, random).map_err(|error| failure("make a new store", error))?;
        return prepare(database, random);
    }
    let found = u32::from_be_bytes(fact(&read, FORMAT_FACT)?);
    if found > FORMAT {
        return Err(KvError::Format { found, supported: FORMAT });
    }
    fact(&read, STORE_ID_FACT)
}

fn create(database: &Database, random: &dyn Random) -> Result<(), redb::Error> {
    let write = begin(database)?;
    write.open_table(DATA)?;
    {
        let mut facts = write.open_table(FACTS)?;
        facts.insert(FORMAT_FACT, &FORMAT.to_be_bytes()[..])?;
        facts.insert(STORE_ID_FACT, &random.bytes::<16>()[..])?;
    }
    put_last(&write, Timestamp::default())?;
    Ok(write.commit()?)
}

/// A durable write transaction after which a crash needs no repair.
pub(super) fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut write = database.begin_write()?;
    write.set_quick_repair(true);
    Ok(write)
}

/// The greatest timestamp committed in this state.
pub(super) fn last(read: &ReadTransaction) -> Result<Timestamp, KvError> {
    Ok(u64::from_be_bytes(fact(read, LAST_FACT)?).into())
}

/// Writes the greatest timestamp committed.
pub(super) fn put_last(write: &WriteTransaction, last: Timestamp) -> Result<(), redb::Error> {
    let mut facts: Table<'_, &str, &[u8]> = write.open_table(FACTS)?;
    facts.insert(LAST_FACT, &u64::from(last).to_be_bytes()[..])?;
    Ok(())
}

fn fact<const N: usize>(read: &ReadTransaction, name: &str) -> Result<[u8; N], KvError> {
    let facts = match read.open_table(FACTS) {
        Ok(facts) => facts,
        Err(TableError::TableDoesNotExist(_)) => {
            return Err(KvError::Corrupted {
                what: "the file has tables, but not those of a store".to_owned(),
            });
        }
        Err(error) => return Err(failure("open the store", error)),
    };
    let value = facts.get(name).map_err(|error| failure("open the store", error))?;
    let value = value.and_then(|value| <[u8; N]>::try_from(value.value()).ok());
    value.ok_or_else(|| KvError::Corrupted { what: format!("the fact '{name}' is not of {N} bytes") })
}

/// What redb met, in this crate's words.
pub(super) fn failure(operation: &'static str, error: impl Into<redb::Error>) -> KvError {
    match error.into() {
        redb::Error::DatabaseClosed => KvError::Closed,
        redb::Error::Corrupted(what) => KvError::Corrupted { what },
        other => KvError::Storage { operation, cause: other.to_string() },
    }
}

/// Why `store` cannot be opened.
pub(super) fn open_error(error: DatabaseError, store: &dyn Display) -> KvError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => KvError::InUse { store: store.to_string() },
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() == std::io::ErrorKind::InvalidData =>
        {
            KvError::Corrupted { what: error.to_string() }
        }
        other => failure("open the file", other),
    }
}
