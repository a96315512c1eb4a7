//! The record of an installation: what lies in a key-value store, and which store it was written into.
//!
//! The first process that opens a store writes it, all others compare. Its key is `v`; its value is
//! `record format (1) | data format (4, big endian) | home (UTF-8)`.

use braid_kv::{Kv, KvError, Mode, Outcome, Snapshot};
use bytes::{BufMut, Bytes, BytesMut};

const KEY: &[u8] = b"v";
const RECORD_FORMAT: u8 = 1;

/// The format of all records together: the one written by this version, and the newest that it reads.
pub(crate) const DATA_FORMAT: u32 = 1;

/// What a store says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installation {
    /// The format of all records together.
    data_format: u32,
    /// Which store the records were written into, in words.
    home: String,
}

/// Why a store cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InstallationError {
    /// A newer version wrote it.
    #[error(
        "the records in {home} have format {found}; this version of Braid knows up to format {DATA_FORMAT}"
    )]
    Newer {
        /// The store.
        home: String,
        /// The format met.
        found: u32,
    },
    /// The records were written into another store: this is a copy, or the wrong keyspace.
    #[error(
        "the records in {here} were written into {recorded}: two installations must not share their data"
    )]
    Elsewhere {
        /// The store that was opened.
        here: String,
        /// The store that they belong to.
        recorded: String,
    },
    /// The record is none.
    #[error("the record of the installation in {home} cannot be read")]
    Unreadable {
        /// The store.
        home: String,
    },
    /// Nothing was written yet.
    #[error("no node has written the record of the installation into {home} yet")]
    Absent {
        /// The store.
        home: String,
    },
    /// The store failed.
    #[error(transparent)]
    Kv(#[from] KvError),
}

impl InstallationError {
    /// Whether the same may succeed a little later.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Kv(error) if error.is_retryable())
    }
}

/// Compares the record with what this version knows and with the store that holds it; writes it if there is none.
pub(crate) async fn claim(kv: &dyn Kv, home: &str) -> Result<(), InstallationError> {
    loop {
        match check(&*kv.snapshot().await?, home).await {
            Err(InstallationError::Absent { .. }) => {}
            checked => return checked,
        }
        let mut txn = kv.begin(Mode::Optimistic).await?;
        let record = Installation { data_format: DATA_FORMAT, home: home.to_owned() };
        txn.insert(Bytes::from_static(KEY), record.encode());
        match txn.commit().await {
            // Whoever wrote it, it is there to be compared; a lost answer is settled by looking again.
            Outcome::Committed(_) | Outcome::Conflict(_) | Outcome::Unknown(_) => {}
            Outcome::Refused(error) => return Err(error.into()),
        }
    }
}

/// Compares the record, which must be there.
pub(crate) async fn check(snapshot: &dyn Snapshot, home: &str) -> Result<(), InstallationError> {
    match snapshot.get(KEY).await? {
        None => Err(InstallationError::Absent { home: home.to_owned() }),
        Some(value) => Installation::decode(&value, home)?.compare(home),
    }
}

impl Installation {
    fn compare(&self, home: &str) -> Result<(), InstallationError> {
        if self.data_format > DATA_FORMAT {
            return Err(InstallationError::Newer { home: home.to_owned(), found: self.data_format });
        }
        if self.home != home {
            let (here, recorded) = (home.to_owned(), self.home.clone());
            return Err(InstallationError::Elsewhere { here, recorded });
        }
        Ok(())
    }

    fn encode(&self) -> Bytes {
        let mut value = BytesMut::with_capacity(5 + self.home.len());
        value.put_u8(RECORD_FORMAT);
        value.put_u32(self.data_format);
        value.put_slice(self.home.as_bytes());
        value.freeze()
    }

    fn decode(value: &[u8], home: &str) -> Result<Self, InstallationError> {
        let unreadable = || InstallationError::Unreadable { home: home.to_owned() };
        let (format, rest) = value.split_first().ok_or_else(unreadable)?;
        if *format != RECORD_FORMAT {
            return Err(InstallationError::Newer { home: home.to_owned(), found: u32::from(*format) });
        }
        let (data_format, recorded) = rest.split_first_chunk().ok_or_else(unreadable)?;
        let recorded = String::from_utf8(recorded.to_vec()).map_err(|_| unreadable())?;
        Ok(Self { data_format: u32::from_be_bytes(*data_format), home: recorded })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use braid_kv::{Memory, MemorySettings};
    use braid_types::SystemClock;

    use super::*;

    const HOME: &str = "cluster 7";

    fn store() -> Memory {
        Memory::new(MemorySettings::default(), Arc::new(SystemClock))
    }

    async fn write(kv: &dyn Kv, value: &'static [u8]) {
        let mut txn = kv.begin(Mode::Optimistic).await.unwrap();
        txn.put(Bytes::from_static(KEY), Bytes::from_static(value));
        assert!(matches!(txn.commit().await, Outcome::Committed(_)));
    }

    #[tokio::test]
    async fn the_first_writes_it_and_the_others_compare() {
        let kv = store();
        let absent = check(&*kv.snapshot().await.unwrap(), HOME).await.unwrap_err();
        assert_eq!(absent, InstallationError::Absent { home: HOME.into() });
        let (one, two) = tokio::join!(claim(&kv, HOME), claim(&kv, HOME));
        assert_eq!((one, two), (Ok(()), Ok(())));
        assert_eq!(check(&*kv.snapshot().await.unwrap(), HOME).await, Ok(()));
        let value = kv.snapshot().await.unwrap().get(KEY).await.unwrap().unwrap();
        assert_eq!(value, b"\x01\0\0\0\x01cluster 7".as_slice());
    }

    #[tokio::test]
    async fn what_belongs_to_another_store_is_refused_and_left_alone() {
        let kv = store();
        claim(&kv, "cluster 8").await.unwrap();
        let error = claim(&kv, HOME).await.unwrap_err();
        let expected = InstallationError::Elsewhere { here: HOME.into(), recorded: "cluster 8".into() };
        assert_eq!(error, expected);
        assert_eq!(claim(&kv, "cluster 8").await, Ok(()));
    }

    #[tokio::test]
    async fn newer_records_are_refused_by_both_versions() {
        for (value, found) in [(&b"\x01\0\0\0\x02cluster 7"[..], 2), (&b"\x09whatever"[..], 9)] {
            let kv = store();
            write(&kv, value).await;
            let error = claim(&kv, HOME).await.unwrap_err();
            assert_eq!(error, InstallationError::Newer { home: HOME.into(), found });
            let said = format!("have format {found}; this version of Braid knows up to format 1");
            assert!(error.to_string().contains(&said), "{error}");
        }
        for value in [&b""[..], &b"\x01\0\0\0"[..], &b"\x01\0\0\0\x01\xff"[..]] {
            let kv = store();
            write(&kv, value).await;
            let error = claim(&kv, HOME).await.unwrap_err();
            assert_eq!(error, InstallationError::Unreadable { home: HOME.into() });
        }
    }

    #[tokio::test]
    async fn only_what_may_pass_is_waited_for() {
        let unavailable = KvError::Unavailable { cause: "no leader".into() };
        assert!(InstallationError::Kv(unavailable).may_pass());
        assert!(!InstallationError::Kv(KvError::Closed).may_pass());
        assert!(!InstallationError::Newer { home: HOME.into(), found: 2 }.may_pass());
    }
}
