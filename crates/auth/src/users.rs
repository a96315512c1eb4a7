//! Users, and the keys that each has.

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use braid_kv::{ScanOptions, Snapshot, Transaction};
use braid_types::Time;
use bytes::Bytes;

use crate::change::{Change, carry_out};
use crate::keys::{Keys, check_user};
use crate::record::{self, StoredKey, StoredUser};
use crate::{AuthError, NewKey};

/// Most users or keys on one page of a list.
pub const MOST_LISTED: usize = 1000;

/// Most keys that a user has.
const MOST_KEYS: usize = 100;

/// Somebody who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// 1 to 255 bytes without control characters.
    pub name: String,
    /// When the user was made.
    pub created: Time,
}

/// An access key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// When it was made.
    pub created: Time,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span<'a> {
    /// Only names that begin with it.
    pub prefix: &'a str,
    /// Only names after it.
    pub after: &'a str,
    /// At most so many, and at most [`MOST_LISTED`].
    pub limit: usize,
}

/// A part of a list, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    /// What was found.
    pub items: Vec<T>,
    /// Whether more follow.
    pub more: bool,
}

impl Keys {
    /// Makes a user without a key.
    ///
    /// # Errors
    /// [`AuthError::UserExists`].
    pub async fn create_user(&self, name: &str) -> Result<User, AuthError> {
        check_user(name)?;
        let user = User { name: name.to_owned(), created: self.clock.now() };
        carry_out(&self.kv, name, &CreateUser(&user)).await?;
        Ok(user)
    }

    /// The user of this name.
    ///
    /// # Errors
    /// [`AuthError::UserNotFound`].
    pub async fn user(&self, name: &str) -> Result<User, AuthError> {
        load_user(&*self.kv.snapshot().await?, name).await
    }

    /// Users by name.
    pub async fn users(&self, span: Span<'_>) -> Result<Part<User>, AuthError> {
        let all = record::user_range(span.prefix).after(&record::user(span.after));
        let rows = self.rows(&all, span.limit).await?;
        part(rows, span.limit, |key, value| {
            let name = record::parse_user(key)?;
            let created = StoredUser::decode_value(&name, value)?.created();
            Ok(User { name, created })
        })
    }

    /// Deletes a user and all keys of theirs. Other nodes may take such a key for some seconds yet.
    ///
    /// # Errors
    /// [`AuthError::UserNotFound`].
    pub async fn delete_user(&self, name: &str) -> Result<(), AuthError> {
        let keys = carry_out(&self.kv, name, &DeleteUser(name)).await?;
        keys.iter().for_each(|id| self.cache.remove(id));
        Ok(())
    }

    /// Makes a key for a user who is there.
    ///
    /// # Errors
    /// [`AuthError::UserNotFound`]; [`AuthError::TooManyKeys`].
    pub async fn create_key_of(&self, user: &str) -> Result<NewKey, AuthError> {
        let key = self.new_key();
        let stored = self.seal(user, &key);
        carry_out(&self.kv, user, &CreateKey { user, id: &key.id, stored: &stored }).await?;
        Ok(key)
    }

    /// One of a user's keys.
    ///
    /// # Errors
    /// [`AuthError::KeyNotFound`], [`AuthError::UserNotFound`].
    pub async fn key_of(&self, user: &str, id: &str) -> Result<KeyInfo, AuthError> {
        let snapshot = self.kv.snapshot().await?;
        load_user(&*snapshot, user).await?;
        let stored = snapshot.get(&record::key(id)).await?;
        let stored = stored.map(|value| StoredKey::decode_value(id, &value)).transpose()?;
        match stored.filter(|stored| stored.user == user) {
            Some(stored) => {
                Ok(KeyInfo { id: id.to_owned(), user: user.to_owned(), created: stored.created() })
            }
            None => Err(no_key(user, id)),
        }
    }

    /// A user's keys by id.
    ///
    /// # Errors
    /// [`AuthError::UserNotFound`].
    pub async fn keys_of(&self, user: &str, span: Span<'_>) -> Result<Part<KeyInfo>, AuthError> {
        let snapshot = self.kv.snapshot().await?;
        load_user(&*snapshot, user).await?;
        let all = record::owned_range(user, span.prefix).after(&record::owned(user, span.after));
        let rows = self.rows(&all, span.limit).await?;
        part(rows, span.limit, |key, value| {
            let created = StoredUser::decode_value(user, value)?.created();
            Ok(KeyInfo { id: record::parse_owned(user, key)?, user: user.to_owned(), created })
        })
    }

    /// Deletes one of a user's keys. Other nodes may take it for some seconds yet.
    ///
    /// # Errors
    /// [`AuthError::KeyNotFound`].
    pub async fn delete_key(&self, user: &str, id: &str) -> Result<(), AuthError> {
        carry_out(&self.kv, id, &DeleteKey { user, id }).await?;
        self.cache.remove(id);
        Ok(())
    }

    async fn rows(&self, range: &braid_kv::KeyRange, limit: usize) -> Result<Vec<(Bytes, Bytes)>, AuthError> {
        let options = ScanOptions::first(limit.min(MOST_LISTED) + 1);
        Ok(self.kv.snapshot().await?.scan(range, options).await?)
    }
}

async fn load_user(snapshot: &dyn Snapshot, name: &str) -> Result<User, AuthError> {
    let value = snapshot.get(&record::user(name)).await?;
    let value = value.ok_or_else(|| AuthError::UserNotFound { name: name.to_owned() })?;
    Ok(User { name: name.to_owned(), created: StoredUser::decode_value(name, &value)?.created() })
}

/// A part from rows, of which one more than `limit` was asked for.
fn part<T>(
    mut rows: Vec<(Bytes, Bytes)>,
    limit: usize,
    read: impl Fn(&[u8], &[u8]) -> Result<T, AuthError>,
) -> Result<Part<T>, AuthError> {
    let limit = limit.min(MOST_LISTED);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let items = rows.iter().map(|(key, value)| read(key, value)).collect::<Result<_, _>>()?;
    Ok(Part { items, more })
}

struct CreateUser<'a>(&'a User);

#[async_trait]
impl Change for CreateUser<'_> {
    type Answer = ();

    async fn attempt(&self, txn: &mut dyn Transaction, again: bool) -> Result<(), AuthError> {
        let (key, value) = (record::user(&self.0.name), StoredUser::new(self.0.created).encode_value());
        match txn.get(&key).await? {
            Some(found) if again && found == value => {}
            Some(_) => return Err(AuthError::UserExists { name: self.0.name.clone() }),
            None => txn.insert(key, value),
        }
        Ok(())
    }
}

struct DeleteUser<'a>(&'a str);

#[async_trait]
impl Change for DeleteUser<'_> {
    type Answer = Vec<String>;

    async fn attempt(&self, txn: &mut dyn Transaction, again: bool) -> Result<Vec<String>, AuthError> {
        let user = record::user(self.0);
        if txn.get(&user).await?.is_none() {
            return if again { Ok(Vec::new()) } else { Err(user_not_found(self.0)) };
        }
        let mut ids = Vec::new();
        for (row, _) in txn.scan(&record::owned_range(self.0, ""), ScanOptions::first(MOST_KEYS + 1)).await? {
            let id = record::parse_owned(self.0, &row)?;
            txn.delete(record::key(&id));
            txn.delete(row);
            ids.push(id);
        }
        txn.delete(user);
        Ok(ids)
    }
}

struct CreateKey<'a> {
    user: &'a str,
    id: &'a str,
    stored: &'a Bytes,
}

#[async_trait]
impl Change for CreateKey<'_> {
    type Answer = ();

    async fn attempt(&self, txn: &mut dyn Transaction, _: bool) -> Result<(), AuthError> {
        let user = record::user(self.user);
        if txn.get(&user).await?.is_none() {
            return Err(user_not_found(self.user));
        }
        // The user must not be deleted meanwhile: the key would be left without one.
        txn.lock(user);
        let owned = record::owned_range(self.user, "");
        if txn.scan(&owned, ScanOptions::first(MOST_KEYS)).await?.len() == MOST_KEYS {
            return Err(AuthError::TooManyKeys { user: self.user.to_owned(), limit: MOST_KEYS });
        }
        record::put_key(txn, self.user, self.id, self.stored)
    }
}

struct DeleteKey<'a> {
    user: &'a str,
    id: &'a str,
}

#[async_trait]
impl Change for DeleteKey<'_> {
    type Answer = ();

    async fn attempt(&self, txn: &mut dyn Transaction, again: bool) -> Result<(), AuthError> {
        let owned = record::owned(self.user, self.id);
        if txn.get(&owned).await?.is_none() {
            return if again { Ok(()) } else { Err(no_key(self.user, self.id)) };
        }
        txn.delete(owned);
        txn.delete(record::key(self.id));
        Ok(())
    }
}

fn no_key(user: &str, id: &str) -> AuthError {
    AuthError::KeyNotFound { user: user.to_owned(), id: id.to_owned() }
}

fn user_not_found(name: &str) -> AuthError {
    AuthError::UserNotFound { name: name.to_owned() }
}
