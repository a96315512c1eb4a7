//! Large objects in memory: as large as that allows.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use md5::{Digest, Md5};

use super::MemoryStore;
use crate::{
    ByteRange, MAX_PAGE, ObjectError, ObjectStore, Page, PartMeta, PartPage, PartPlace, Presigned,
    PutOptions, PutResult, Reading, Source, Transfers, UploadMeta, check_key,
};

/// Uploads under way, by key and id.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    open: BTreeMap<(String, String), Upload>,
    begun: u64,
}

#[derive(Debug)]
struct Upload {
    content_type: Option<String>,
    started: i64,
    parts: BTreeMap<u16, (PartMeta, Bytes)>,
}

impl Uploads {
    fn of(&mut self, key: &str, upload: &str) -> Result<&mut Upload, ObjectError> {
        let place = (key.to_owned(), upload.to_owned());
        self.open.get_mut(&place).ok_or_else(|| ObjectError::NoSuchUpload { key: key.to_owned() })
    }
}

impl Upload {
    /// The content of `asked` parts, and the entity tag that S3 would give it.
    fn assemble(&self, key: &str, asked: &[(u16, String)]) -> Result<(Bytes, String), ObjectError> {
        let refuse = |rule: String| ObjectError::InvalidPart { key: key.to_owned(), rule };
        if !asked.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Err(refuse("they are not in ascending order".to_owned()));
        }
        let (mut content, mut tags) = (Vec::new(), Md5::new());
        for (number, etag) in asked {
            let part = self.parts.get(number).filter(|(meta, _)| meta.etag == *etag);
            let (_, bytes) =
                part.ok_or_else(|| refuse(format!("part {number} was not uploaded, or has another etag")))?;
            content.extend_from_slice(bytes);
            tags.update(Md5::digest(bytes));
        }
        Ok((content.into(), format!("{}-{}", hex::encode(tags.finalize()), asked.len())))
    }
}

impl MemoryStore {
    fn keep_part(&self, part: PartPlace<'_>, bytes: Bytes) -> Result<PutResult, ObjectError> {
        let etag = hex::encode(Md5::digest(&bytes));
        let meta = PartMeta {
            number: part.number,
            size: bytes.len() as u64,
            etag: etag.clone(),
            last_modified: self.clock.now().seconds,
        };
        self.uploads.write().of(part.key, part.upload)?.parts.insert(part.number, (meta, bytes));
        Ok(PutResult { etag })
    }
}

async fn collect(key: &str, source: Source) -> Result<Bytes, ObjectError> {
    let chunks = source.into_checked().try_collect::<Vec<_>>().await;
    let broken =
        |error: std::io::Error| ObjectError::BrokenOff { key: key.to_owned(), reason: error.to_string() };
    Ok(chunks.map_err(broken)?.concat().into())
}

#[async_trait]
impl Transfers for MemoryStore {
    async fn read(&self, key: &str, range: Option<ByteRange>) -> Result<Reading, ObjectError> {
        let (meta, body) = self.part_of(key, range)?;
        Ok(Reading { meta, body: body.into() })
    }

    async fn write(
        &self,
        key: &str,
        source: Source,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        let bytes = collect(key, source).await?;
        self.put(key, bytes, PutOptions { content_type, if_absent: false }).await
    }

    async fn copy(&self, from: &str, key: &str) -> Result<PutResult, ObjectError> {
        let (meta, body) = self.part_of(from, None)?;
        self.put(key, body, PutOptions { content_type: meta.content_type, if_absent: false }).await
    }

    async fn start_upload(&self, key: &str, content_type: Option<String>) -> Result<String, ObjectError> {
        check_key(key)?;
        let mut uploads = self.uploads.write();
        uploads.begun += 1;
        let id = format!("{:x}", uploads.begun);
        let upload = Upload { content_type, started: self.clock.now().seconds, parts: BTreeMap::new() };
        uploads.open.insert((key.to_owned(), id.clone()), upload);
        Ok(id)
    }

    async fn put_part(&self, part: PartPlace<'_>, source: Source) -> Result<PutResult, ObjectError> {
        part.check()?;
        let bytes = collect(part.key, source).await?;
        self.keep_part(part, bytes)
    }

    async fn copy_part(
        &self,
        part: PartPlace<'_>,
        from: &str,
        range: Option<ByteRange>,
    ) -> Result<PutResult, ObjectError> {
        part.check()?;
        let (_, bytes) = self.part_of(from, range)?;
        self.keep_part(part, bytes)
    }

    async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[(u16, String)],
    ) -> Result<PutResult, ObjectError> {
        let mut uploads = self.uploads.write();
        let found = uploads.of(key, upload)?;
        let (content, etag) = found.assemble(key, parts)?;
        let options = PutOptions { content_type: found.content_type.clone(), if_absent: false };
        let mut object = self.object(key, content, options);
        object.meta.etag.clone_from(&etag);
        self.objects.write().insert(key.to_owned(), object);
        uploads.open.remove(&(key.to_owned(), upload.to_owned()));
        Ok(PutResult { etag })
    }

    async fn abort_upload(&self, key: &str, upload: &str) -> Result<(), ObjectError> {
        self.uploads.write().open.remove(&(key.to_owned(), upload.to_owned()));
        Ok(())
    }

    async fn list_parts(
        &self,
        key: &str,
        upload: &str,
        after: u16,
        limit: usize,
    ) -> Result<PartPage, ObjectError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let mut uploads = self.uploads.write();
        let parts = uploads.of(key, upload)?.parts.range(after.saturating_add(1)..);
        let mut parts: Vec<PartMeta> = parts.map(|(_, (meta, _))| meta.clone()).take(limit + 1).collect();
        let more = parts.len() > limit;
        parts.truncate(limit);
        Ok(PartPage { parts, more })
    }

    async fn list_uploads(&self, prefix: &str, after: Option<&str>) -> Result<Page<UploadMeta>, ObjectError> {
        let uploads = self.uploads.read();
        let wanted = |key: &str| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let found = uploads.open.iter().filter(|((key, _), _)| wanted(key));
        let meta = found.map(|((key, id), upload)| UploadMeta {
            key: key.clone(),
            upload: id.clone(),
            started: upload.started,
        });
        Ok(Page::of(meta, MAX_PAGE, |upload| &upload.key))
    }

    async fn presign_part(
        &self,
        part: PartPlace<'_>,
        ttl: Duration,
        _length: Option<u64>,
    ) -> Result<Presigned, ObjectError> {
        part.check()?;
        let mut signed = self.presigned("PUT", part.key, ttl, Vec::new())?;
        signed.url.push_str(&format!("&partNumber={}&uploadId={}", part.number, part.upload));
        Ok(signed)
    }
}
