//! Uploads in parts: begun in the object store and noted in the catalog, put together, staged, and given up when nobody
//! completes them.

use std::sync::Arc;

use braid_catalog::{
    CompletedUpload, Condition, ListUploads, Mutation, RepositoryRecord, StagedOperation, UploadPlace,
    UploadRecord,
};
use braid_objects::{MAX_PAGE, ObjectError, PartMeta, PartPlace};
use braid_types::{AddressType, Code, Entry, Error, Time, limits};
use braid_wire::{
    CompleteMultipartUpload, CreateMultipartUpload, ListMultipartUploads, ListParts, MultipartUpload,
    MultipartUploads, Object, Part, PartUpload, Parts, PresignParts, UploadAddress, page_items,
};

use crate::namespaces::Namespace;
use crate::service::Core;
use crate::store_error::store_error;
use crate::uploads::{check_count, staged, whole_address, write_condition};

/// An upload that was found, and where its parts are.
struct Found {
    repository: RepositoryRecord,
    namespace: Arc<Namespace>,
    place: UploadPlace,
    record: UploadRecord,
}

impl Core {
    /// Begins an upload: in the object store, and then in the catalog.
    pub(crate) async fn create_multipart(
        &self,
        asked: CreateMultipartUpload,
    ) -> Result<MultipartUpload, Error> {
        let repository = self.writable(&asked.repository).await?;
        self.catalog.branch(&asked.repository, &asked.branch).await?;
        let namespace = self.namespaces.open(&repository.storage_namespace)?;
        let record = UploadRecord {
            namespace: repository.storage_namespace.to_string(),
            address: self.addresses.fresh(self.clock.now()),
            content_type: asked.content_type,
            metadata: asked.metadata,
            started: self.clock.now(),
            completed: None,
        };
        entry(&record, &not_yet()).check(asked.path.as_str())?;
        let typed = Some(record.content_type.clone()).filter(|content_type| !content_type.is_empty());
        let started = namespace.store.start_upload(&record.address, typed).await;
        let upload = started.map_err(|error| store_error(&error, asked.path.as_str()))?;
        let (branch, path) = (asked.branch, asked.path);
        let place = UploadPlace { repository: repository.id, branch, path, upload };
        if let Err(error) = self.catalog.put_upload(&place, &record).await {
            self.give_up(&namespace, &place, &record).await;
            return Err(error);
        }
        Ok(shown(place, record))
    }

    /// Removes the parts of an upload that nobody will hear of. What fails is left to the object store's own rules.
    async fn give_up(&self, namespace: &Namespace, place: &UploadPlace, record: &UploadRecord) {
        if let Err(error) = namespace.store.abort_upload(&record.address, &place.upload).await {
            tracing::warn!(path = %place.path, %error, "an upload in parts is left in the object store");
        }
    }

    pub(crate) async fn multipart(&self, upload: UploadAddress) -> Result<MultipartUpload, Error> {
        let found = self.under_way(upload).await?;
        Ok(shown(found.place, found.record))
    }

    async fn find(&self, upload: UploadAddress) -> Result<Found, Error> {
        check_id(&upload.upload_id)?;
        let repository = self.catalog.repository(&upload.repository).await?;
        let UploadAddress { branch, path, upload_id: upload, .. } = upload;
        let place = UploadPlace { repository: repository.id, branch, path, upload };
        let record = self.catalog.upload(&place).await?;
        let namespace = self.namespaces.open(&record.namespace)?;
        Ok(Found { repository, namespace, place, record })
    }

    /// An upload that takes parts.
    async fn under_way(&self, upload: UploadAddress) -> Result<Found, Error> {
        let found = self.find(upload).await?;
        if found.record.completed.is_none() {
            return Ok(found);
        }
        let UploadPlace { upload, path, .. } = &found.place;
        let message = format!("the upload '{upload}' to '{path}' was completed");
        Err(Error::new(Code::UploadNotFound, upload.as_str(), message))
    }

    pub(crate) async fn list_multiparts(
        &self,
        asked: ListMultipartUploads,
    ) -> Result<MultipartUploads, Error> {
        let repository = self.catalog.repository(&asked.repository).await?;
        self.catalog.branch(&asked.repository, &asked.branch).await?;
        let limit = page_items(asked.page_size);
        let list = ListUploads {
            repository: repository.id,
            branch: asked.branch,
            prefix: asked.prefix.to_string(),
            after: asked.after.map(|path| (path.to_string(), asked.after_upload_id)),
            limit: limit + 1,
        };
        let mut found = self.catalog.list_uploads(&list).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let uploads = found.into_iter().map(|(place, record)| shown(place, record)).collect();
        Ok(MultipartUploads { uploads, more })
    }

    pub(crate) async fn presign_parts(&self, asked: PresignParts) -> Result<Vec<PartUpload>, Error> {
        check_count("parts", asked.parts.len(), limits::PAGE_ITEMS)?;
        let found = self.under_way(asked.upload).await?;
        let mut uploads = Vec::with_capacity(asked.parts.len());
        for part in asked.parts {
            let path = found.place.path.as_str();
            let place = PartPlace {
                key: &found.record.address,
                upload: &found.place.upload,
                number: part_number(part.number)?,
            };
            let signed = found.namespace.store.presign_part(place, self.settings.presign_ttl, part.size);
            let signed = signed.await.map_err(|error| store_error(&error, path))?;
            uploads.push(PartUpload {
                number: part.number,
                url: signed.url,
                headers: signed.headers.into_iter().collect(),
                expires_at: Time::from_seconds(signed.expires_at),
            });
        }
        Ok(uploads)
    }

    pub(crate) async fn parts_of(&self, asked: ListParts) -> Result<Parts, Error> {
        let found = self.under_way(asked.upload).await?;
        let after = u16::try_from(asked.after).unwrap_or(u16::MAX);
        let limit = page_items(asked.page_size).min(MAX_PAGE);
        let store = &found.namespace.store;
        let page = store.list_parts(&found.record.address, &found.place.upload, after, limit).await;
        let page = page.map_err(|error| found.error(&error))?;
        Ok(Parts { parts: page.parts.into_iter().map(listed).collect(), more: page.more })
    }

    /// Makes an object of parts and stages it. Each step leaves a trace by which a retry goes on: the object store has the
    /// object, the catalog knows that it does, the stage knows the request.
    pub(crate) async fn complete_multipart(
        &self,
        asked: CompleteMultipartUpload,
        by: &Mutation,
    ) -> Result<Object, Error> {
        check_count("parts", asked.parts.len(), limits::UPLOAD_PARTS)?;
        let mut found = self.find(asked.upload.clone()).await?;
        self.writable(&asked.upload.repository).await?;
        let (if_etag, if_generation) = (asked.if_etag.as_deref(), asked.if_generation);
        let condition = write_condition(&found.place.path, asked.if_absent, if_etag, if_generation)?;
        let completed = match found.record.completed.clone() {
            Some(completed) => completed,
            None => self.put_together(&mut found, &asked, &condition).await?,
        };
        let entry = found.entry(asked, &completed);
        let path = found.place.path.clone();
        let operation = StagedOperation::Put { path, entry, condition };
        let operations = [operation.clone()];
        self.catalog.stage_in(&found.repository, &found.place.branch, &operations, by).await?;
        Ok(staged(operation, &found.repository.storage_namespace).expect("what was put is an object"))
    }

    /// Puts the parts together, and notes it. Whatever can be refused is refused before.
    async fn put_together(
        &self,
        found: &mut Found,
        asked: &CompleteMultipartUpload,
        condition: &Condition,
    ) -> Result<CompletedUpload, Error> {
        found.entry(asked.clone(), &not_yet()).check(found.place.path.as_str())?;
        self.check_condition(asked, condition).await?;
        let parts = asked.parts.iter().map(|part| Ok((part_number(part.number)?, part.etag.clone())));
        let parts = parts.collect::<Result<Vec<_>, Error>>()?;
        let store = &found.namespace.store;
        match store.complete_upload(&found.record.address, &found.place.upload, &parts).await {
            // Whoever came before has left the object, or has given the upload up.
            Ok(_) | Err(ObjectError::NoSuchUpload { .. }) => {}
            Err(error) => return Err(found.error(&error)),
        }
        let meta = match store.head(&found.record.address).await {
            Ok(meta) => meta,
            Err(ObjectError::NotFound { key }) => return Err(found.error(&ObjectError::NoSuchUpload { key })),
            Err(error) => return Err(found.error(&error)),
        };
        let mtime = Time::from_seconds(meta.last_modified);
        let completed = CompletedUpload { etag: meta.etag, size: meta.size, mtime };
        found.record.completed = Some(completed.clone());
        self.catalog.put_upload(&found.place, &found.record).await?;
        Ok(completed)
    }

    /// Refuses what cannot be staged while the upload can still be completed otherwise. The stage decides again.
    async fn check_condition(
        &self,
        asked: &CompleteMultipartUpload,
        condition: &Condition,
    ) -> Result<(), Error> {
        if *condition == Condition::Always {
            self.catalog.branch(&asked.upload.repository, &asked.upload.branch).await?;
            return Ok(());
        }
        let at = braid_types::RefExpression::parse(asked.upload.branch.as_str())?;
        let path = &asked.upload.path;
        let there = match self.catalog.stat(&asked.upload.repository, &at, path).await {
            Ok(object) => Some(object.entry),
            Err(error) if error.code() == Code::ObjectNotFound => None,
            Err(error) => return Err(error),
        };
        if condition.holds(there.as_ref()) {
            return Ok(());
        }
        let found = match there {
            Some(entry) => format!("it has etag '{}' and generation {}", entry.checksum, entry.generation()),
            None => "there is none".to_owned(),
        };
        let message = format!("the object at '{path}' is not as the request wants it: {found}");
        Err(Error::new(Code::PreconditionFailed, path.as_str(), message))
    }

    /// Gives an upload up.
    pub(crate) async fn abort_multipart(&self, upload: UploadAddress) -> Result<(), Error> {
        let found = self.under_way(upload).await?;
        self.end(&found.namespace, &found.place, &found.record).await
    }

    async fn end(
        &self,
        namespace: &Namespace,
        place: &UploadPlace,
        record: &UploadRecord,
    ) -> Result<(), Error> {
        if record.completed.is_none() {
            let aborted = namespace.store.abort_upload(&record.address, &place.upload).await;
            aborted.map_err(|error| store_error(&error, place.path.as_str()))?;
        }
        self.catalog.remove_upload(place).await
    }

    /// Gives up the uploads that began longer ago than the setting allows, and forgets those that were completed; says how
    /// many.
    pub(crate) async fn end_old_multiparts(&self) -> Result<usize, Error> {
        let age = i64::try_from(self.settings.multipart_ttl.as_secs()).unwrap_or(i64::MAX);
        let before = Time::from_seconds(self.clock.now().seconds.saturating_sub(age));
        let mut ended = 0;
        for (place, record) in self.catalog.uploads_before(before).await? {
            let namespace = self.namespaces.open(&record.namespace)?;
            match self.end(&namespace, &place, &record).await {
                Ok(()) => ended += 1,
                Err(error) => tracing::warn!(path = %place.path, %error, "an old upload was not given up"),
            }
        }
        Ok(ended)
    }
}

impl Found {
    /// What is to be staged.
    fn entry(&self, asked: CompleteMultipartUpload, completed: &CompletedUpload) -> Entry {
        let mut entry = entry(&self.record, completed);
        entry.metadata.extend(asked.metadata);
        if let Some(content_type) = asked.content_type {
            entry.content_type = content_type;
        }
        entry
    }

    fn error(&self, error: &ObjectError) -> Error {
        let UploadPlace { path, upload, .. } = &self.place;
        match error {
            ObjectError::NoSuchUpload { .. } => {
                let message = format!("the upload '{upload}' to '{path}' was completed or given up");
                Error::new(Code::UploadNotFound, upload.as_str(), message)
            }
            ObjectError::InvalidPart { rule, .. } => {
                let message = format!("the upload to '{path}' cannot be completed with these parts: {rule}");
                Error::new(Code::InvalidParts, path.as_str(), message)
            }
            other => store_error(other, path.as_str()),
        }
    }
}

fn entry(record: &UploadRecord, completed: &CompletedUpload) -> Entry {
    Entry {
        address: record.address.clone(),
        address_type: AddressType::Relative,
        size: completed.size,
        checksum: completed.etag.clone(),
        content_type: record.content_type.clone(),
        metadata: record.metadata.clone(),
        mtime: completed.mtime,
    }
}

/// Stands for what an upload is still to become.
fn not_yet() -> CompletedUpload {
    CompletedUpload { etag: "none".to_owned(), size: 0, mtime: Time::default() }
}

fn shown(place: UploadPlace, record: UploadRecord) -> MultipartUpload {
    MultipartUpload {
        branch: place.branch,
        path: place.path,
        upload_id: place.upload,
        physical_address: whole_address(&record.namespace, &record.address),
        content_type: record.content_type,
        metadata: record.metadata,
        started_at: record.started,
    }
}

fn listed(part: PartMeta) -> Part {
    Part {
        number: part.number.into(),
        size: part.size,
        etag: part.etag,
        uploaded_at: Time::from_seconds(part.last_modified),
    }
}

fn part_number(number: u32) -> Result<u16, Error> {
    let valid = u16::try_from(number)
        .ok()
        .filter(|number| (1..=limits::UPLOAD_PARTS).contains(&usize::from(*number)));
    valid.ok_or_else(|| {
        let message = format!("a part's number is 1 to {}, not {number}", limits::UPLOAD_PARTS);
        Error::new(Code::InvalidArgument, number.to_string(), message)
    })
}

/// Refuses what cannot be the id of an upload.
fn check_id(id: &str) -> Result<(), Error> {
    if !id.is_empty() && id.len() <= limits::UPLOAD_ID_BYTES && !id.contains('\0') {
        return Ok(());
    }
    let message = format!("there is no upload '{}'", id.escape_debug());
    Err(Error::new(Code::UploadNotFound, id, message))
}
