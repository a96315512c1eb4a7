//! Uploads: a place to put the data, a proof that it was given out, and the link that stages what was put there.

use std::sync::Arc;

use braid_catalog::{
    Condition, Mutation, RepositoryRecord, RepositoryState, StagedChange, StagedOperation, Touch,
};
use braid_objects::{ObjectError, ObjectMeta, ObjectStore, PresignPutOptions};
use braid_types::{AddressType, BranchName, Code, Entry, Error, ObjectPath, RepositoryName, Time, limits};
use braid_wire::{Link, LinkUpload, Object, Upload, UploadTarget};
use futures::{StreamExt, TryStreamExt, stream};

use crate::intent::{Intent, Place};
use crate::namespaces::Namespace;
use crate::service::Core;
use crate::store_error::store_error;

/// Most questions to the object store at once, for one call.
pub(crate) const PARALLEL_HEADS: usize = 64;

/// What a URL may ask of the request that is sent to it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Headers {
    /// To come with headers, which say what may be put and that nothing may be replaced.
    Wanted,
    /// Nothing but the data.
    None,
}

/// A link whose intent was found good.
pub(crate) struct Checked {
    link: Link,
    intent: Intent,
}

impl Core {
    /// Places to upload to, in the order of `targets`. Changes nothing.
    pub(crate) async fn create_uploads(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        targets: Vec<UploadTarget>,
        headers: Headers,
    ) -> Result<Vec<Upload>, Error> {
        check_count("uploads", targets.len(), limits::PAGE_ITEMS)?;
        for target in &targets {
            self.check_target(target)?;
        }
        let record = self.writable(repository).await?;
        self.catalog.branch(repository, branch).await?;
        // Linking decides; this spares an upload in vain.
        record.protection.check(repository, branch, Touch::Write)?;
        let namespace = self.namespaces.open(&record.storage_namespace)?;
        let mut uploads = Vec::with_capacity(targets.len());
        for target in targets {
            uploads.push(self.create_upload(&record, branch, &namespace, target, headers).await?);
        }
        Ok(uploads)
    }

    async fn create_upload(
        &self,
        repository: &RepositoryRecord,
        branch: &BranchName,
        namespace: &Namespace,
        target: UploadTarget,
        headers: Headers,
    ) -> Result<Upload, Error> {
        let address = self.addresses.fresh(self.clock.now());
        let options = match headers {
            Headers::Wanted => PresignPutOptions {
                content_type: Some(target.content_type.clone()).filter(|kind| !kind.is_empty()),
                content_length: target.size,
                // Data that was linked must not change as long as its URL lives.
                if_absent: true,
            },
            Headers::None => {
                PresignPutOptions { content_length: target.size, ..PresignPutOptions::default() }
            }
        };
        let signed = namespace.store.presign_put(&address, self.settings.presign_ttl, options).await;
        let signed = signed.map_err(|error| store_error(&error, target.path.as_str()))?;
        let place = Place { repository: repository.id, branch: branch.clone(), path: target.path.clone() };
        let expires = self.clock.now().plus(self.settings.intent_ttl).whole_seconds();
        let physical_address = whole_address(&repository.storage_namespace, &address);
        let intent =
            self.intents.sign(&Intent { place, address, content_type: target.content_type, expires });
        Ok(Upload {
            path: target.path,
            physical_address,
            url: signed.url,
            headers: signed.headers.into_iter().collect(),
            expires_at: Time::from_seconds(signed.expires_at),
            intent,
        })
    }

    fn check_target(&self, target: &UploadTarget) -> Result<(), Error> {
        let path = target.path.as_str();
        let over = |what: &str, is: u64, most: u64| {
            let message = format!("{what} of '{path}' is {is} bytes; the limit is {most}");
            Err(Error::new(Code::LimitExceeded, path, message))
        };
        let content_type = target.content_type.len();
        if content_type > limits::CONTENT_TYPE_BYTES {
            return over("content type", content_type as u64, limits::CONTENT_TYPE_BYTES as u64);
        }
        match target.size {
            Some(size) if size > self.settings.upload_bytes => over("size", size, self.settings.upload_bytes),
            _ => Ok(()),
        }
    }

    /// Stages uploads in one transaction: all or none. Answers in the order of `links`.
    pub(crate) async fn link_uploads(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        links: Vec<Link>,
        mutation: &Mutation,
    ) -> Result<Vec<Object>, Error> {
        check_count("links", links.len(), limits::TRANSACTION_OPERATIONS)?;
        let (record, checked) = self.check_links(repository, branch, links).await?;
        let namespace = self.namespaces.open(&record.storage_namespace)?;
        let operations: Vec<StagedOperation> = stream::iter(checked)
            .map(|checked| uploaded(Arc::clone(&namespace.store), checked))
            .buffered(PARALLEL_HEADS)
            .try_collect()
            .await?;
        self.catalog.stage_in(&record, branch, &operations, mutation).await?;
        Ok(operations
            .into_iter()
            .filter_map(|operation| staged(operation, &record.storage_namespace))
            .collect())
    }

    /// Stages uploads, each for itself; answers in their order.
    pub(crate) async fn link_each(
        &self,
        asked: Vec<Result<(LinkUpload, Mutation), Error>>,
    ) -> Vec<Result<Object, Error>> {
        let ready = asked.into_iter().map(async |asked| {
            let (asked, mutation) = asked?;
            self.ready(asked, mutation).await
        });
        let mut ended = Vec::with_capacity(ready.len());
        let mut changes = Vec::with_capacity(ready.len());
        for ready in stream::iter(ready).buffered(PARALLEL_HEADS).collect::<Vec<_>>().await {
            ended.push(ready.as_ref().map(linked).map_err(Error::clone));
            changes.extend(ready);
        }
        let mut staged = self.catalog.stage_each(changes).await.into_iter();
        for ended in ended.iter_mut().filter(|ended| ended.is_ok()) {
            if let Some(Err(error)) = staged.next() {
                *ended = Err(error);
            }
        }
        ended
    }

    /// A link that was found good, and what was uploaded for it.
    async fn ready(&self, asked: LinkUpload, mutation: Mutation) -> Result<StagedChange, Error> {
        let LinkUpload { repository, branch, link } = asked;
        let (repository, mut checked) = self.check_links(&repository, &branch, vec![link]).await?;
        let namespace = self.namespaces.open(&repository.storage_namespace)?;
        let operation = uploaded(Arc::clone(&namespace.store), checked.remove(0)).await?;
        Ok(StagedChange { repository, branch, operation, mutation })
    }

    /// Checks all links, and finds the repository that they are for. One that this process has seen need not be read: the
    /// intents name it by its id, and staging refuses it if it is gone.
    async fn check_links(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        links: Vec<Link>,
    ) -> Result<(Arc<RepositoryRecord>, Vec<Checked>), Error> {
        let check = |record: &RepositoryRecord| -> Result<Vec<Checked>, Error> {
            links.iter().map(|link| self.check_link(record, branch, link.clone())).collect()
        };
        if let Some(known) = self.catalog.known_repository(repository)
            && let Ok(checked) = check(&known)
        {
            return Ok((known, checked));
        }
        let record = self.writable(repository).await?;
        let checked = check(&record)?;
        Ok((Arc::new(record), checked))
    }

    /// Checks everything about a link that can be checked without the object store.
    pub(crate) fn check_link(
        &self,
        repository: &RepositoryRecord,
        branch: &BranchName,
        link: Link,
    ) -> Result<Checked, Error> {
        let place = Place { repository: repository.id, branch: branch.clone(), path: link.path.clone() };
        let intent = self.intents.check(&link.intent, &place, self.clock.now())?;
        if !intent.content_type.is_empty() && link.content_type != intent.content_type {
            let message = format!(
                "'{}' was to be uploaded with content type '{}', not '{}'",
                link.path, intent.content_type, link.content_type
            );
            return Err(Error::new(Code::UploadMismatch, link.path.as_str(), message));
        }
        condition(&link)?;
        let checked = Checked { link, intent };
        checked.entry(Time::default()).check(checked.link.path.as_str())?;
        Ok(checked)
    }

    /// The repository, if it takes writes.
    pub(crate) async fn writable(&self, name: &RepositoryName) -> Result<RepositoryRecord, Error> {
        let record = self.catalog.repository(name).await?;
        match record.state {
            RepositoryState::Active => Ok(record),
            RepositoryState::ReadOnly => {
                Err(Error::new(Code::ReadOnly, name.as_str(), format!("repository '{name}' is read-only")))
            }
        }
    }
}

impl Checked {
    fn entry(&self, mtime: Time) -> Entry {
        Entry {
            address: self.intent.address.clone(),
            address_type: AddressType::Relative,
            size: self.link.size,
            checksum: self.link.checksum.clone(),
            content_type: self.link.content_type.clone(),
            metadata: self.link.metadata.clone(),
            mtime,
        }
    }
}

/// Looks at what was uploaded; the operation that stages it.
pub(crate) async fn uploaded(
    store: Arc<dyn ObjectStore>,
    checked: Checked,
) -> Result<StagedOperation, Error> {
    let path = checked.link.path.as_str();
    let meta = match store.head(&checked.intent.address).await {
        Ok(meta) => meta,
        Err(ObjectError::NotFound { .. }) => {
            return Err(mismatch(path, "nothing was uploaded for it"));
        }
        Err(error) => return Err(store_error(&error, path)),
    };
    compare(&checked.link, &meta)?;
    let entry = checked.entry(Time::from_seconds(meta.last_modified));
    let condition = condition(&checked.link)?;
    Ok(StagedOperation::Put { path: checked.link.path, entry, condition })
}

/// What must hold for a link to be staged.
fn condition(link: &Link) -> Result<Condition, Error> {
    write_condition(&link.path, link.if_absent, link.if_etag.as_deref(), link.if_generation)
}

/// What must hold for an object to be staged at `path`.
pub(crate) fn write_condition(
    path: &ObjectPath,
    if_absent: bool,
    if_etag: Option<&str>,
    if_generation: Option<u64>,
) -> Result<Condition, Error> {
    match (if_absent, if_etag, if_generation) {
        (false, None, None) => Ok(Condition::Always),
        (true, None, None) => Ok(Condition::IfAbsent),
        (false, Some(etag), None) => Ok(Condition::IfEtag(etag.to_owned())),
        (false, None, Some(generation)) => Ok(Condition::IfGeneration(generation)),
        _ => {
            let message =
                format!("'{path}' has several conditions: give one of if absent, if etag, if generation");
            Err(Error::new(Code::InvalidArgument, path.as_str(), message))
        }
    }
}

fn compare(link: &Link, meta: &ObjectMeta) -> Result<(), Error> {
    if meta.size != link.size {
        let reason = format!("the object store holds {} bytes, the link says {}", meta.size, link.size);
        return Err(mismatch(link.path.as_str(), &reason));
    }
    if meta.etag != link.checksum {
        let reason =
            format!("the object store's entity tag is '{}', the link's '{}'", meta.etag, link.checksum);
        return Err(mismatch(link.path.as_str(), &reason));
    }
    Ok(())
}

pub(crate) fn mismatch(path: &str, reason: &str) -> Error {
    Error::new(Code::UploadMismatch, path, format!("'{path}' cannot be linked: {reason}"))
}

/// The object that a link shows.
fn linked(change: &StagedChange) -> Object {
    staged(change.operation.clone(), &change.repository.storage_namespace).expect("a link is a put")
}

pub(crate) fn staged(operation: StagedOperation, namespace: &str) -> Option<Object> {
    match operation {
        StagedOperation::Put { path, entry, .. } => Some(Object::resolved(path, entry, namespace)),
        StagedOperation::Delete { .. } | StagedOperation::Move { .. } | StagedOperation::Copy { .. } => None,
    }
}

pub(crate) fn whole_address(namespace: &str, address: &str) -> String {
    format!("{}/{address}", namespace.trim_end_matches('/'))
}

pub(crate) fn check_count(what: &str, count: usize, most: usize) -> Result<(), Error> {
    if (1..=most).contains(&count) {
        return Ok(());
    }
    Err(Error::new(Code::LimitExceeded, what, format!("a call has 1 to {most} {what}, not {count}")))
}
