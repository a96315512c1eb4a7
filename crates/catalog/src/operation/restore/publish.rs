//! Letting a restored repository be seen: one transaction, of the same size whatever was restored.

use braid_types::{Code, Error, Result};

use super::Restore;
use super::empty::refuse_content;
use crate::catalog::{finish, load_writable};
use crate::mutation::{Attempts, lost_race};
use crate::operation::repositories::{lock_branch, refuse_taken};
use crate::record::dropped::{self, Dropped};
use crate::record::request::Answer;
use crate::record::{self, RepositoryRecord};

impl Restore {
    /// Lets the repository's name stand for what was restored. A lost reply is resolved here, by the request's own record.
    pub(super) async fn publish(&self) -> Result<()> {
        let catalog = &self.hidden.catalog;
        if self.request.create.as_ref().is_some_and(|create| create.take_over) {
            catalog.parts.storage.take_over(&self.hidden.repository.storage_namespace).await?;
        }
        let mut attempts = Attempts::new(catalog);
        let mut in_doubt = false;
        loop {
            let lost = match self.try_publish().await {
                Ok(None) => return Ok(()),
                Ok(Some(lost)) => lost,
                Err(unknown) if unknown.code() == Code::OutcomeUnknown => {
                    in_doubt = true;
                    unknown
                }
                Err(error) if in_doubt => return Err(error.that_may_have_happened()),
                Err(error) => return Err(error),
            };
            let again = attempts.again(catalog, lost).await;
            again.map_err(|error| if in_doubt { error.that_may_have_happened() } else { error })?;
        }
    }

    async fn try_publish(&self) -> Result<Option<Error>> {
        match &self.replaces {
            Some(empty) => self.replace(empty).await,
            None => self.make().await,
        }
    }

    /// Tries to make the repository; what it lost to.
    async fn make(&self) -> Result<Option<Error>> {
        let (catalog, made) = (&self.hidden.catalog, &self.hidden.repository);
        let mut txn = catalog.begin().await?;
        if self.asked().replay(catalog, &*txn).await?.is_some() {
            return Ok(None);
        }
        refuse_taken(&txn, &made.name, &made.storage_namespace).await?;
        self.hidden.reveal(&mut *txn).await?;
        txn.insert(record::repository::key(&made.name), made.encode());
        let namespace = record::repository::namespace_key(&made.storage_namespace);
        txn.insert(namespace, made.id.as_bytes().to_vec().into());
        self.asked().record(catalog, &mut *txn, Answer::Done);
        finish(txn, made.name.as_str()).await
    }

    /// Tries to put the restored repository in the place of the empty one; what it lost to. Nobody writes to the empty one
    /// from then on: its fences are sealed, and its branch is gone.
    async fn replace(&self, empty: &RepositoryRecord) -> Result<Option<Error>> {
        let (catalog, restored) = (&self.hidden.catalog, &self.hidden.repository);
        let wait = catalog.settings.lock_wait;
        let mut txn = catalog.begin_exclusive().await?;
        txn.lock_for_update(&record::repository::key(&empty.name), wait).await?;
        if self.asked().replay(catalog, &*txn).await?.is_some() {
            return Ok(None);
        }
        if load_writable(&txn, &empty.name).await?.id != empty.id {
            return Ok(Some(lost_race(empty.name.as_str())));
        }
        let repository_held = empty.fence().exclusive(&mut *txn, wait).await?;
        let branch = lock_branch(catalog, &mut *txn, empty, &empty.default_branch).await?;
        let branch_held = branch.open.fence().exclusive(&mut *txn, wait).await?;
        let branch = refuse_content(&txn, empty).await?;
        repository_held.seal(&mut *txn);
        branch_held.seal(&mut *txn);
        txn.delete(record::branch::key(&empty.id, &empty.default_branch));
        txn.put(Dropped::Token(branch.open.token).key(), dropped::encode(catalog.now()));
        txn.put(Dropped::Repository(empty.id).key(), dropped::encode(catalog.now()));
        self.hidden.reveal(&mut *txn).await?;
        txn.put(record::repository::key(&empty.name), restored.encode());
        let namespace = record::repository::namespace_key(&empty.storage_namespace);
        txn.put(namespace, restored.id.as_bytes().to_vec().into());
        self.asked().record(catalog, &mut *txn, Answer::Done);
        finish(txn, empty.name.as_str()).await
    }
}
