//! What can be set of a repository as a whole.

use std::collections::BTreeMap;

use braid_kv::Transaction;
use braid_types::{Code, Error, IdentityHasher, RepositoryName, Result, limits};
use bytes::Bytes;

use crate::catalog::{Catalog, finish, load_repository, load_writable};
use crate::mutation::{Attempts, Mutation, Request};
use crate::protection::Protection;
use crate::record::ref_change::{RefEvent, RefMove};
use crate::record::request::Answer;
use crate::record::setting::{self, RetentionRules, Setting};
use crate::record::{self, RepositoryRecord, RepositoryState};
use crate::view::Reads;

impl Catalog {
    /// Says whether a repository takes changes. One that is under way at that moment may still be made.
    pub async fn set_read_only(
        &self,
        name: &RepositoryName,
        read_only: bool,
        mutation: &Mutation,
    ) -> Result<RepositoryRecord> {
        let state = if read_only { RepositoryState::ReadOnly } else { RepositoryState::Active };
        let request = mutation.of("set read only", &[name.as_str(), if read_only { "on" } else { "off" }]);
        self.change_repository(name, &request, |record| {
            record.state = state;
            Ok(())
        })
        .await
    }

    /// Replaces the rules that protect branches, if they are still those of revision `expected` where one is given.
    ///
    /// # Errors
    /// [`Code::PreconditionFailed`] if they are not.
    pub async fn set_branch_protection(
        &self,
        name: &RepositoryName,
        protection: &Protection,
        expected: Option<&str>,
        mutation: &Mutation,
    ) -> Result<()> {
        let revision = protection.revision();
        let arguments = [name.as_str(), &revision, expected.unwrap_or_default()];
        let request = mutation.of("set branch protection", &arguments);
        let change = |record: &mut RepositoryRecord| {
            refuse_other_revision(record, expected)?;
            record.protection = protection.clone();
            Ok(())
        };
        self.change_repository(name, &request, change).await.map(drop)
    }

    async fn change_repository(
        &self,
        name: &RepositoryName,
        request: &Request<'_>,
        change: impl Fn(&mut RepositoryRecord) -> Result<()> + Send + Sync,
    ) -> Result<RepositoryRecord> {
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            let mut record = load_repository(&txn, name).await?;
            if request.replay(self, &*txn).await?.is_some() {
                return Ok(record);
            }
            change(&mut record)?;
            txn.put(record::repository::key(name), record.encode());
            match self.finish_change(txn, &record, request).await? {
                None => return Ok(record),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    /// A repository's metadata.
    pub async fn repository_metadata(&self, name: &RepositoryName) -> Result<BTreeMap<String, String>> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, name).await?;
        load_metadata(&snapshot, &repository).await
    }

    /// Sets some keys of a repository's metadata, removes others, and gives all of it.
    ///
    /// # Errors
    /// [`Code::LimitExceeded`] if it would become too much.
    pub async fn update_repository_metadata(
        &self,
        name: &RepositoryName,
        set: &BTreeMap<String, String>,
        remove: &[String],
        mutation: &Mutation,
    ) -> Result<BTreeMap<String, String>> {
        let removed: Vec<&str> = remove.iter().map(String::as_str).collect();
        let hasher = IdentityHasher::new().strings(&["update repository metadata", name.as_str()]);
        let request = mutation.with(hasher.map(set).strings(&removed));
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            let repository = load_writable(&txn, name).await?;
            let mut metadata = load_metadata(&txn, &repository).await?;
            if request.replay(self, &*txn).await?.is_some() {
                return Ok(metadata);
            }
            metadata.extend(set.clone());
            metadata.retain(|key, _| !removed.contains(&key.as_str()));
            check_metadata(name, &metadata)?;
            txn.put(setting::key(&repository.id, Setting::Metadata), setting::encode_metadata(&metadata));
            match self.finish_setting(txn, &repository, &request).await? {
                None => return Ok(metadata),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    /// For how long a repository's commits are kept.
    ///
    /// # Errors
    /// [`Code::SettingNotFound`] if that was never set.
    pub async fn retention(&self, name: &RepositoryName) -> Result<RetentionRules> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, name).await?;
        let found = snapshot.get(&setting::key(&repository.id, Setting::Retention)).await?;
        found.map_or_else(|| Err(no_retention(name)), |bytes| RetentionRules::decode(&bytes))
    }

    /// Sets for how long a repository's commits are kept, or forgets it.
    ///
    /// # Errors
    /// [`Code::LimitExceeded`] if there are too many rules.
    pub async fn set_retention(
        &self,
        name: &RepositoryName,
        rules: Option<&RetentionRules>,
        mutation: &Mutation,
    ) -> Result<()> {
        rules.map_or(Ok(()), check_retention)?;
        let value: Option<Bytes> = rules.map(RetentionRules::encode);
        let digest = hex::encode(value.as_deref().unwrap_or_default());
        let request = mutation.of("set retention", &[name.as_str(), &digest]);
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            if request.replay(self, &*txn).await?.is_some() {
                return Ok(());
            }
            let repository = load_writable(&txn, name).await?;
            let key = setting::key(&repository.id, Setting::Retention);
            match &value {
                Some(value) => txn.put(key, value.clone()),
                None => txn.delete(key),
            }
            match self.finish_setting(txn, &repository, &request).await? {
                None => return Ok(()),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    /// Ends a transaction that wrote a setting. It must not outlive the repository, which is locked for that.
    async fn finish_setting(
        &self,
        mut txn: Box<dyn Transaction>,
        repository: &RepositoryRecord,
        request: &Request<'_>,
    ) -> Result<Option<Error>> {
        txn.lock(record::repository::key(&repository.name));
        self.finish_change(txn, repository, request).await
    }

    async fn finish_change(
        &self,
        mut txn: Box<dyn Transaction>,
        repository: &RepositoryRecord,
        request: &Request<'_>,
    ) -> Result<Option<Error>> {
        let what = RefMove::new(RefEvent::RepositoryChanged, repository.name.as_str(), None, None);
        request.log(self, &mut *txn, &repository.id, what);
        request.record(self, &mut *txn, Answer::Done);
        finish(txn, repository.name.as_str()).await
    }
}

async fn load_metadata(reads: &dyn Reads, repository: &RepositoryRecord) -> Result<BTreeMap<String, String>> {
    let found = reads.get(&setting::key(&repository.id, Setting::Metadata)).await?;
    found.map_or_else(|| Ok(BTreeMap::new()), |bytes| setting::decode_metadata(&bytes))
}

fn check_metadata(name: &RepositoryName, metadata: &BTreeMap<String, String>) -> Result<()> {
    let bytes: usize = metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes <= limits::REPOSITORY_METADATA_BYTES {
        return Ok(());
    }
    let most = limits::REPOSITORY_METADATA_BYTES;
    let message = format!("metadata of repository '{name}' would have {bytes} bytes; the limit is {most}");
    Err(Error::new(Code::LimitExceeded, name.as_str(), message))
}

fn check_retention(rules: &RetentionRules) -> Result<()> {
    let count = rules.branches.len();
    if count <= limits::RETENTION_BRANCHES {
        return Ok(());
    }
    let message =
        format!("rules for {count} branches are too many: there are at most {}", limits::RETENTION_BRANCHES);
    Err(Error::new(Code::LimitExceeded, "branches", message))
}

fn refuse_other_revision(record: &RepositoryRecord, expected: Option<&str>) -> Result<()> {
    let found = record.protection.revision();
    match expected {
        Some(expected) if expected != found => {
            let name = record.name.as_str();
            let message = format!(
                "the branch protection of repository '{name}' has revision '{found}', not '{expected}'"
            );
            Err(Error::new(Code::PreconditionFailed, name, message))
        }
        _ => Ok(()),
    }
}

fn no_retention(name: &RepositoryName) -> Error {
    let message = format!("no retention was set for repository '{name}'");
    Error::new(Code::SettingNotFound, name.as_str(), message)
}
