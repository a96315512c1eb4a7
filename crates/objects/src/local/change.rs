//! What a write does to the index, decided inside the transaction that does it.

use bytes::Bytes;
use redb::ReadableTable;

use super::error::LocalError;
use super::index::Tables;
use super::pins::FileGuard;
use super::record::{Attributes, FileId, Segment, StoredObject, StoredPart, StoredUpload, decode, encode};
use super::small;
use super::upload::etag_of_parts;
use crate::ObjectError;

/// A bucket and a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bucket: String,
    pub(super) key: String,
}

/// What must be at a place for a write to be carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// Anything or nothing.
    #[default]
    None,
    /// Nothing.
    Absent,
    /// An object.
    Present,
    /// An object with this entity tag.
    Matches(String),
}

/// A write. The content files it brings are removed unless it is carried out.
#[derive(Debug)]
pub(super) enum Change {
    Put { place: Place, object: StoredObject, condition: Condition, content: Content },
    Delete { place: Place, condition: Condition },
    StartUpload { place: Place, upload: String, stored: StoredUpload },
    PutPart { place: Place, upload: String, number: u16, part: StoredPart, content: Option<FileGuard> },
    CompleteUpload(Completion),
    AbortUpload { place: Place, upload: String },
}

/// The content of an object that is put.
#[derive(Debug)]
pub(super) enum Content {
    /// There is none.
    Empty,
    /// To be kept in the index.
    Small(Bytes),
    /// In a file.
    File(FileGuard),
}

/// Makes an object of the parts of an upload.
#[derive(Debug)]
pub(super) struct Completion {
    pub(super) place: Place,
    pub(super) upload: String,
    /// Part numbers and entity tags, in ascending order.
    pub(super) parts: Vec<(u16, String)>,
    pub(super) condition: Condition,
    /// Seconds since 1970.
    pub(super) modified: i64,
}

/// What a change came to: the entity tag of what it wrote, if it wrote, or why it was refused.
pub(super) type Answer = Result<Option<String>, LocalError>;

impl Change {
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Put { place, .. }
            | Self::Delete { place, .. }
            | Self::StartUpload { place, .. }
            | Self::PutPart { place, .. }
            | Self::CompleteUpload(Completion { place, .. })
            | Self::AbortUpload { place, .. } => &place.key,
        }
    }

    /// Lets the content files stay: the index names them, or may.
    pub(super) fn keep_content(self) {
        if let Self::Put { content: Content::File(file), .. } | Self::PutPart { content: Some(file), .. } =
            self
        {
            file.keep();
        }
    }

    /// Carries the change out; files that nothing names any more are added to `dropped`.
    pub(super) fn apply(
        &self,
        tables: &mut Tables<'_>,
        dropped: &mut Vec<FileId>,
    ) -> Result<Answer, redb::Error> {
        let mut work = Work { tables, dropped };
        match self {
            Self::Put { place, object, condition, content } => work.put(place, object, condition, content),
            Self::Delete { place, condition } => work.delete(place, condition),
            Self::StartUpload { place, upload, stored } => work.start_upload(place, upload, stored),
            Self::PutPart { place, upload, number, part, .. } => work.put_part(place, upload, *number, part),
            Self::CompleteUpload(completion) => work.complete(completion),
            Self::AbortUpload { place, upload } => work.abort(place, upload),
        }
    }
}

/// One change being carried out.
struct Work<'w, 't> {
    tables: &'w mut Tables<'t>,
    dropped: &'w mut Vec<FileId>,
}

impl Work<'_, '_> {
    fn put(
        &mut self,
        place: &Place,
        object: &StoredObject,
        condition: &Condition,
        content: &Content,
    ) -> Result<Answer, redb::Error> {
        let old = self.object(place)?;
        if let Some(refusal) = refusal(place, old.as_ref(), condition) {
            return Ok(Err(refusal));
        }
        for segment in &object.content {
            self.name(segment.file)?;
        }
        self.drop_content(place, old)?;
        if let Content::Small(bytes) = content {
            self.tables.small.insert((&*place.bucket, &*place.key), &*small::stored(bytes))?;
        }
        self.tables.objects.insert((&*place.bucket, &*place.key), &*encode(object))?;
        Ok(Ok(Some(object.etag.clone())))
    }

    fn delete(&mut self, place: &Place, condition: &Condition) -> Result<Answer, redb::Error> {
        let old = self.object(place)?;
        if let Some(refusal) = refusal(place, old.as_ref(), condition) {
            return Ok(Err(refusal));
        }
        self.drop_content(place, old)?;
        self.tables.objects.remove((&*place.bucket, &*place.key))?;
        Ok(Ok(None))
    }

    fn start_upload(
        &mut self,
        place: &Place,
        upload: &str,
        stored: &StoredUpload,
    ) -> Result<Answer, redb::Error> {
        self.tables.uploads.insert((&*place.bucket, &*place.key, upload), &*encode(stored))?;
        Ok(Ok(None))
    }

    fn put_part(
        &mut self,
        place: &Place,
        upload: &str,
        number: u16,
        part: &StoredPart,
    ) -> Result<Answer, redb::Error> {
        if self.upload(place, upload)?.is_none() {
            return Ok(Err(no_such_upload(place, upload)));
        }
        if let Some(file) = part.file {
            self.name(file)?;
        }
        let old = self.tables.parts.insert((upload, number), &*encode(part))?;
        let old: Option<StoredPart> = old.map(|old| decode(old.value())).transpose()?;
        if let Some(file) = old.and_then(|old| old.file) {
            self.forget(file)?;
        }
        Ok(Ok(Some(part.etag.clone())))
    }

    fn complete(&mut self, completion: &Completion) -> Result<Answer, redb::Error> {
        let Completion { place, upload, parts, condition, modified } = completion;
        let Some(stored) = self.upload(place, upload)? else {
            return Ok(Err(no_such_upload(place, upload)));
        };
        let old = self.object(place)?;
        if let Some(refusal) = refusal(place, old.as_ref(), condition) {
            return Ok(Err(refusal));
        }
        let uploaded = self.take_parts(upload)?;
        let object = match assemble(place, parts, &uploaded, stored.attributes, *modified) {
            Ok(object) => object,
            Err(refusal) => {
                self.put_parts_back(upload, &uploaded)?;
                return Ok(Err(refusal));
            }
        };
        self.drop_unused(&uploaded, &object)?;
        self.drop_content(place, old)?;
        self.tables.uploads.remove((&*place.bucket, &*place.key, &**upload))?;
        self.tables.objects.insert((&*place.bucket, &*place.key), &*encode(&object))?;
        Ok(Ok(Some(object.etag)))
    }

    fn abort(&mut self, place: &Place, upload: &str) -> Result<Answer, redb::Error> {
        if self.tables.uploads.remove((&*place.bucket, &*place.key, upload))?.is_none() {
            return Ok(Err(no_such_upload(place, upload)));
        }
        for (_, part) in self.take_parts(upload)? {
            if let Some(file) = part.file {
                self.forget(file)?;
            }
        }
        Ok(Ok(None))
    }

    fn object(&self, place: &Place) -> Result<Option<StoredObject>, redb::Error> {
        let found = self.tables.objects.get((&*place.bucket, &*place.key))?;
        found.map(|bytes| decode(bytes.value())).transpose()
    }

    fn upload(&self, place: &Place, upload: &str) -> Result<Option<StoredUpload>, redb::Error> {
        let found = self.tables.uploads.get((&*place.bucket, &*place.key, upload))?;
        found.map(|bytes| decode(bytes.value())).transpose()
    }

    fn take_parts(&mut self, upload: &str) -> Result<Vec<(u16, StoredPart)>, redb::Error> {
        let mut parts = Vec::new();
        for row in self.tables.parts.extract_from_if((upload, 0)..=(upload, u16::MAX), |_, _| true)? {
            let (at, bytes) = row?;
            parts.push((at.value().1, decode(bytes.value())?));
        }
        Ok(parts)
    }

    fn put_parts_back(&mut self, upload: &str, parts: &[(u16, StoredPart)]) -> Result<(), redb::Error> {
        for (number, part) in parts {
            self.tables.parts.insert((upload, *number), &*encode(part))?;
        }
        Ok(())
    }

    fn drop_unused(&mut self, parts: &[(u16, StoredPart)], object: &StoredObject) -> Result<(), redb::Error> {
        let used: std::collections::HashSet<FileId> = object.content.iter().map(|part| part.file).collect();
        for file in parts.iter().filter_map(|(_, part)| part.file).filter(|file| !used.contains(file)) {
            self.forget(file)?;
        }
        Ok(())
    }

    /// Drops the content of the object that was at a place.
    fn drop_content(&mut self, place: &Place, object: Option<StoredObject>) -> Result<(), redb::Error> {
        let Some(object) = object else {
            return Ok(());
        };
        if object.is_small {
            self.tables.small.remove((&*place.bucket, &*place.key))?;
        }
        for segment in object.content {
            self.forget(segment.file)?;
        }
        Ok(())
    }

    fn name(&mut self, file: FileId) -> Result<(), redb::Error> {
        let named = self.tables.files.insert((file.boot, file.number), ())?;
        assert!(named.is_none(), "content file {file} has one owner");
        Ok(())
    }

    fn forget(&mut self, file: FileId) -> Result<(), redb::Error> {
        self.tables.files.remove((file.boot, file.number))?;
        self.dropped.push(file);
        Ok(())
    }
}

/// Why a write to a place that holds `old` is refused.
fn refusal(place: &Place, old: Option<&StoredObject>, condition: &Condition) -> Option<LocalError> {
    let key = || place.key.clone();
    let error = match (condition, old) {
        (Condition::None, _) | (Condition::Absent, None) | (Condition::Present, Some(_)) => return None,
        (Condition::Absent, Some(_)) => ObjectError::AlreadyExists { key: key() },
        (Condition::Present | Condition::Matches(_), None) => ObjectError::NotFound { key: key() },
        (Condition::Matches(etag), Some(old)) if *etag == old.etag => return None,
        (Condition::Matches(_), Some(old)) => {
            ObjectError::Changed { key: key(), found: Some(old.etag.clone()) }
        }
    };
    Some(error.into())
}

fn no_such_upload(place: &Place, upload: &str) -> LocalError {
    LocalError::NoSuchUpload { key: place.key.clone(), upload: upload.to_owned() }
}

/// The object made of the `asked` of the `uploaded` parts.
fn assemble(
    place: &Place,
    asked: &[(u16, String)],
    uploaded: &[(u16, StoredPart)],
    attributes: Attributes,
    modified: i64,
) -> Result<StoredObject, LocalError> {
    if !asked.is_sorted_by(|(one, _), (next, _)| one < next) {
        return Err(LocalError::PartOrder { key: place.key.clone() });
    }
    let mut parts = Vec::new();
    for (number, etag) in asked {
        let found = uploaded.binary_search_by_key(number, |(number, _)| *number).ok();
        let part = found.map(|at| &uploaded[at].1).filter(|part| part.etag == *etag);
        parts.push(part.ok_or_else(|| LocalError::InvalidPart { key: place.key.clone(), number: *number })?);
    }
    let segment = |part: &&StoredPart| part.file.map(|file| Segment { file, size: part.size });
    Ok(StoredObject {
        size: parts.iter().map(|part| part.size).sum(),
        etag: etag_of_parts(parts.iter().map(|part| part.etag.as_str())),
        modified,
        attributes,
        content: parts.iter().filter_map(segment).collect(),
        is_small: false,
    })
}
