//! Making and checking access keys.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use braid_kv::{Conflict, Kv, Mode, Outcome, Transaction};
use braid_types::{Clock, Random};
use bytes::Bytes;

use crate::cache::{KeyCache, OpenedKey};
use crate::record::{self, StoredKey};
use crate::seal::Sealer;
use crate::secret::random_key_id;
use crate::{AuthError, MasterKey, Secret};

/// The name of the first administrator.
const FIRST_ADMIN_USER: &str = "admin";

/// Longest user name, in bytes.
const USER_BYTES: usize = 255;

/// What is sealed in the check record, and for whom.
const CHECK_TEXT: &[u8] = b"braid";
const CHECK_OWNER: &str = "check";

/// How often a write that met another one, or whose answer was lost, is done again.
const ATTEMPTS: u32 = 16;

/// All access keys of an installation.
pub struct Keys {
    kv: Arc<dyn Kv>,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    cache: KeyCache,
}

/// An access key as it is given out, once: the secret cannot be read again.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The public half: `BRDA` and 16 upper-case letters or digits.
    pub id: String,
    /// The secret half.
    pub secret: Secret,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The user's name: 1 to 255 bytes without control characters.
    pub user: String,
    /// The access key that was used.
    pub key_id: String,
}

/// What checks signatures that were made with a key.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// Who has the key.
    pub principal: Principal,
    /// The secret half.
    pub secret: Secret,
}

impl Keys {
    /// The keys in `kv`, sealed under `master`. The first ever use of a store ties it to its master key.
    ///
    /// # Errors
    /// [`AuthError::WrongMasterKey`] if the store is tied to another one: nothing may be started with it.
    pub async fn open(
        kv: Arc<dyn Kv>,
        master: &MasterKey,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, AuthError> {
        let keys = Self { kv, sealer: Sealer::new(master), clock, random, cache: KeyCache::default() };
        keys.check_master_key().await?;
        Ok(keys)
    }

    /// Makes a key for `user`.
    pub async fn create(&self, user: &str) -> Result<NewKey, AuthError> {
        check_user(user)?;
        let key = self.new_key();
        let stored = self.seal(user, &key);
        let record = record::key(&key.id);
        let written = self.insert(&[(record.clone(), stored.clone())], &record, &stored).await?;
        assert!(written, "no two keys have the same 83 random bits");
        Ok(key)
    }

    /// Makes the key of the first administrator, unless that was ever done before. However many ask at once, on however
    /// many nodes, one is given a key.
    pub async fn create_first_admin(&self) -> Result<Option<NewKey>, AuthError> {
        let key = self.new_key();
        let marker = Bytes::from_static(record::FIRST_ADMIN);
        let value = Bytes::from(key.id.clone());
        let rows =
            [(marker.clone(), value.clone()), (record::key(&key.id), self.seal(FIRST_ADMIN_USER, &key))];
        Ok(self.insert(&rows, &marker, &value).await?.then_some(key))
    }

    /// Says who has this key.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`] if there is no such key or the secret is wrong, without saying which.
    pub async fn authenticate(&self, id: &str, secret: &str) -> Result<Principal, AuthError> {
        let key = self.opened(id).await?.ok_or(AuthError::Unauthenticated)?;
        if !key.secret.is(secret) {
            return Err(AuthError::Unauthenticated);
        }
        Ok(Principal { user: key.user.clone(), key_id: id.to_owned() })
    }

    /// The key that a caller claims to have signed with, to check that it did.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`] if there is no such key.
    pub async fn signing_key(&self, id: &str) -> Result<SigningKey, AuthError> {
        let key = self.opened(id).await?.ok_or(AuthError::Unauthenticated)?;
        let principal = Principal { user: key.user.clone(), key_id: id.to_owned() };
        Ok(SigningKey { principal, secret: key.secret.clone() })
    }

    async fn opened(&self, id: &str) -> Result<Option<Arc<OpenedKey>>, AuthError> {
        let now = self.clock.now();
        if let Some(key) = self.cache.get(id, now) {
            return Ok(Some(key));
        }
        let Some(value) = self.kv.snapshot().await?.get(&record::key(id)).await? else {
            return Ok(None);
        };
        let key = Arc::new(self.unseal(id, &value)?);
        self.cache.insert(id, Arc::clone(&key), now);
        Ok(Some(key))
    }

    fn new_key(&self) -> NewKey {
        NewKey { id: random_key_id(&*self.random), secret: Secret::random(&*self.random) }
    }

    /// The record of a key. The user is sealed in with the id, so that a record cannot be given to another user.
    fn seal(&self, user: &str, key: &NewKey) -> Bytes {
        let sealed = self.sealer.seal(&owner(&key.id, user), key.secret.expose().as_bytes(), &*self.random);
        StoredKey::new(user, sealed, self.clock.now()).encode_value()
    }

    fn unseal(&self, id: &str, value: &[u8]) -> Result<OpenedKey, AuthError> {
        let stored = StoredKey::decode_value(id, value)?;
        let damaged = || AuthError::Corrupt {
            record: format!("access key {id}"),
            reason: "its secret was not sealed for it under this master key".to_owned(),
        };
        let plain =
            self.sealer.open(&owner(id, &stored.user), &stored.sealed_secret).map_err(|_| damaged())?;
        let secret = String::from_utf8(plain.to_vec()).map_err(|_| damaged())?;
        Ok(OpenedKey { user: stored.user, secret: Secret::new(secret) })
    }

    async fn check_master_key(&self) -> Result<(), AuthError> {
        let key = Bytes::from_static(record::CHECK);
        let mut found = self.kv.snapshot().await?.get(&key).await?;
        if found.is_none() {
            let sealed = Bytes::from(self.sealer.seal(CHECK_OWNER, CHECK_TEXT, &*self.random));
            if self.insert(&[(key.clone(), sealed.clone())], &key, &sealed).await? {
                return Ok(());
            }
            found = self.kv.snapshot().await?.get(&key).await?;
        }
        let sealed = found.expect("the check record is never removed");
        self.sealer.open(CHECK_OWNER, &sealed).map(drop).map_err(|_| AuthError::WrongMasterKey)
    }

    /// Inserts rows that must all be new, in one transaction; `false` if `decisive` is taken with another value than
    /// `mine`. A lost answer is resolved by doing the same insert again: it then finds its own row.
    async fn insert(
        &self,
        rows: &[(Bytes, Bytes)],
        decisive: &Bytes,
        mine: &Bytes,
    ) -> Result<bool, AuthError> {
        let name = String::from_utf8_lossy(decisive).into_owned();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut txn = self.kv.begin(Mode::Optimistic).await?;
            if let Some(found) = txn.get(decisive).await? {
                return Ok(found == mine);
            }
            for (key, value) in rows {
                txn.insert(key.clone(), value.clone());
            }
            match Ended::of(txn).await? {
                Ended::Committed => return Ok(true),
                Ended::Lost(_) | Ended::Unknown(_) if attempt < ATTEMPTS => {}
                Ended::Lost(conflict) => return Err(AuthError::Contended { record: name, conflict }),
                Ended::Unknown(reason) => return Err(AuthError::Unknown { record: name, reason }),
            }
        }
    }
}

/// How a transaction ended, other than by a failure that left nothing behind.
enum Ended {
    Committed,
    Lost(Conflict),
    Unknown(String),
}

impl Ended {
    async fn of(txn: Box<dyn Transaction>) -> Result<Self, AuthError> {
        match txn.commit().await {
            Outcome::Committed(_) => Ok(Self::Committed),
            Outcome::Conflict(conflict) => Ok(Self::Lost(conflict)),
            Outcome::Refused(error) => Err(error.into()),
            Outcome::Unknown(reason) => Ok(Self::Unknown(reason)),
        }
    }
}

/// What a secret is sealed for. Ids hold no blank, so no two keys have the same owner.
fn owner(id: &str, user: &str) -> String {
    format!("{id} {user}")
}

fn check_user(name: &str) -> Result<(), AuthError> {
    if name.is_empty() || name.len() > USER_BYTES || name.chars().any(char::is_control) {
        return Err(AuthError::InvalidUser { name: name.to_owned(), limit: USER_BYTES });
    }
    Ok(())
}
