//! Making and checking access keys.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use braid_kv::{Kv, Transaction};
use braid_types::{Clock, Random};
use bytes::Bytes;

use crate::cache::{KeyCache, OpenedKey};
use crate::change::{Change, carry_out};
use crate::record::{self, StoredKey, StoredUser};
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

/// All access keys of an installation.
pub struct Keys {
    pub(crate) kv: Arc<dyn Kv>,
    sealer: Sealer,
    pub(crate) clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    pub(crate) cache: KeyCache,
}

/// An access key as it is given out, once: the secret cannot be read again.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The public half: `AKIAJ`, 14 upper-case letters or digits, `Q`.
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

    /// Makes a key for `user`, and the user if there is none.
    pub async fn create(&self, user: &str) -> Result<NewKey, AuthError> {
        check_user(user)?;
        let key = self.new_key();
        self.put_new(user, &key, Marker::Mine).await?;
        Ok(key)
    }

    /// Makes the key of the first administrator, unless a key was ever made before. However many ask at once, on however
    /// many nodes, one is given a key.
    pub async fn create_first_admin(&self) -> Result<Option<NewKey>, AuthError> {
        let key = self.new_key();
        let first = self.put_new(FIRST_ADMIN_USER, &key, Marker::Only).await?;
        Ok(first.then_some(key))
    }

    /// Makes the first key of all for `user`: `given`, or a fresh one.
    ///
    /// # Errors
    /// [`AuthError::AlreadySetUp`] if a key was ever made before; [`AuthError::InvalidKey`] if the given one is no key.
    pub async fn set_up(&self, user: &str, given: Option<NewKey>) -> Result<NewKey, AuthError> {
        check_user(user)?;
        let key = given.unwrap_or_else(|| self.new_key());
        check_key(&key)?;
        match self.put_new(user, &key, Marker::Only).await? {
            true => Ok(key),
            false => Err(AuthError::AlreadySetUp),
        }
    }

    /// Whether a key was ever made.
    pub async fn is_set_up(&self) -> Result<bool, AuthError> {
        Ok(self.kv.snapshot().await?.get(record::FIRST_ADMIN).await?.is_some())
    }

    async fn put_new(&self, user: &str, key: &NewKey, marker: Marker) -> Result<bool, AuthError> {
        let created = StoredUser::new(self.clock.now()).encode_value();
        let stored = self.seal(user, key);
        let change = PutNew { user, id: &key.id, stored: &stored, created: &created, marker };
        carry_out(&self.kv, user, &change).await
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

    /// Whose key this is, if there is one of this id.
    pub(crate) async fn owner(&self, id: &str) -> Result<Option<String>, AuthError> {
        Ok(self.opened(id).await?.map(|key| key.user.clone()))
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

    pub(crate) fn new_key(&self) -> NewKey {
        NewKey { id: random_key_id(&*self.random), secret: Secret::random(&*self.random) }
    }

    /// The record of a key. The user is sealed in with the id, so that a record cannot be given to another user.
    pub(crate) fn seal(&self, user: &str, key: &NewKey) -> Bytes {
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
        let mut found = self.kv.snapshot().await?.get(record::CHECK).await?;
        if found.is_none() {
            let sealed = Bytes::from(self.sealer.seal(CHECK_OWNER, CHECK_TEXT, &*self.random));
            found = Some(carry_out(&self.kv, "check", &Check { sealed: &sealed }).await?);
        }
        let sealed = found.expect("the check record was read or written");
        self.sealer.open(CHECK_OWNER, &sealed).map(drop).map_err(|_| AuthError::WrongMasterKey)
    }
}

/// A known text, sealed, unless one is there.
struct Check<'a> {
    sealed: &'a Bytes,
}

#[async_trait]
impl Change for Check<'_> {
    type Answer = Bytes;

    async fn attempt(&self, txn: &mut dyn Transaction, _: bool) -> Result<Bytes, AuthError> {
        let key = Bytes::from_static(record::CHECK);
        if let Some(found) = txn.get(&key).await? {
            return Ok(found);
        }
        txn.insert(key, self.sealed.clone());
        Ok(self.sealed.clone())
    }
}

/// What a new key has to do with the marker that the first one leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    /// It leaves the marker if there is none.
    Mine,
    /// It is made only if there is none.
    Only,
}

/// A new key, and its user if there is none.
struct PutNew<'a> {
    user: &'a str,
    id: &'a str,
    stored: &'a Bytes,
    created: &'a Bytes,
    marker: Marker,
}

#[async_trait]
impl Change for PutNew<'_> {
    type Answer = bool;

    async fn attempt(&self, txn: &mut dyn Transaction, _: bool) -> Result<bool, AuthError> {
        let (marker, user) = (Bytes::from_static(record::FIRST_ADMIN), record::user(self.user));
        match txn.get(&marker).await? {
            Some(first) if self.marker == Marker::Only && first != self.id.as_bytes() => return Ok(false),
            Some(_) => {}
            None => txn.insert(marker, Bytes::copy_from_slice(self.id.as_bytes())),
        }
        match txn.get(&user).await? {
            Some(_) => txn.lock(user),
            None => txn.insert(user, self.created.clone()),
        }
        record::put_key(txn, self.user, self.id, self.stored)?;
        Ok(true)
    }
}

/// What a secret is sealed for. Ids hold no blank, so no two keys have the same owner.
fn owner(id: &str, user: &str) -> String {
    format!("{id} {user}")
}

pub(crate) fn check_user(name: &str) -> Result<(), AuthError> {
    if name.is_empty() || name.len() > USER_BYTES || name.chars().any(char::is_control) {
        return Err(AuthError::InvalidUser { name: name.to_owned(), limit: USER_BYTES });
    }
    Ok(())
}

/// A key that somebody chose. Clients that sign take no shorter or longer ids.
fn check_key(key: &NewKey) -> Result<(), AuthError> {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let id = (3..=20).contains(&key.id.len()) && key.id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let secret = (8..=255).contains(&key.secret.expose().len()) && plain(key.secret.expose());
    if id && secret {
        return Ok(());
    }
    Err(AuthError::InvalidKey { id: key.id.clone() })
}
