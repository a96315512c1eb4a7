//! Uploads in parts: what is known of those under way. Their parts are in the object store, of which nothing is known here.

use braid_kv::{KeyRange, ScanOptions};
use braid_types::{BranchName, Code, Error, RepositoryId, Result, Time};

use crate::catalog::{Catalog, finish};
use crate::mutation::Attempts;
use crate::record::upload::{self, UploadPlace, UploadRecord};

/// Rows read at once.
const BATCH: usize = 1000;

/// Which uploads are to be listed.
#[derive(Debug, Clone)]
pub struct ListUploads {
    /// Of which repository.
    pub repository: RepositoryId,
    /// To which branch.
    pub branch: BranchName,
    /// Only to paths that begin with it.
    pub prefix: String,
    /// Only after this path, or after this upload to it; a path of no upload will do.
    pub after: Option<(String, Option<String>)>,
    /// The most uploads to answer.
    pub limit: usize,
}

impl ListUploads {
    fn range(&self) -> Result<KeyRange> {
        let range = upload::range_of(&self.repository, &self.branch, &self.prefix);
        let Some((path, id)) = &self.after else { return Ok(range) };
        let Some(id) = id else {
            return Ok(range.after(&upload::end_of(&self.repository, &self.branch, path)));
        };
        let place = UploadPlace {
            repository: self.repository,
            branch: self.branch.clone(),
            path: braid_types::ObjectPath::existing(path.as_str())?,
            upload: id.clone(),
        };
        Ok(range.after(&place.key()))
    }
}

impl Catalog {
    /// Notes an upload, or what became of it.
    pub async fn put_upload(&self, place: &UploadPlace, record: &UploadRecord) -> Result<()> {
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            txn.put(place.key(), record.encode());
            match finish(txn, place.path.as_str()).await? {
                None => return Ok(()),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    /// The upload at a place, under way or completed.
    ///
    /// # Errors
    /// [`Code::UploadNotFound`].
    pub async fn upload(&self, place: &UploadPlace) -> Result<UploadRecord> {
        let row = self.snapshot().await?.get(&place.key()).await?;
        UploadRecord::decode(&row.ok_or_else(|| no_upload(place))?)
    }

    /// Uploads under way to a branch, by path and then by id.
    pub async fn list_uploads(&self, list: &ListUploads) -> Result<Vec<(UploadPlace, UploadRecord)>> {
        let mut found = Vec::new();
        let mut range = list.range()?;
        let snapshot = self.snapshot().await?;
        while found.len() < list.limit {
            let rows = snapshot.scan(&range, ScanOptions::first(BATCH)).await?;
            let Some((last, _)) = rows.last() else { break };
            range = range.after(last);
            for (key, value) in &rows {
                let record = UploadRecord::decode(value)?;
                if record.completed.is_none() {
                    found.push((UploadPlace::parse_key(key)?, record));
                }
            }
        }
        found.truncate(list.limit);
        Ok(found)
    }

    /// Some uploads of all repositories that began before `started`, completed or not; an empty answer says that there
    /// are no more.
    pub async fn uploads_before(&self, started: Time) -> Result<Vec<(UploadPlace, UploadRecord)>> {
        let mut found = Vec::new();
        let mut range = upload::range();
        let snapshot = self.snapshot().await?;
        while found.len() < BATCH {
            let rows = snapshot.scan(&range, ScanOptions::first(BATCH)).await?;
            let Some((last, _)) = rows.last() else { break };
            range = range.after(last);
            for (key, value) in &rows {
                let record = UploadRecord::decode(value)?;
                if record.started < started {
                    found.push((UploadPlace::parse_key(key)?, record));
                }
            }
        }
        Ok(found)
    }

    /// Forgets an upload.
    pub async fn remove_upload(&self, place: &UploadPlace) -> Result<()> {
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            txn.delete(place.key());
            match finish(txn, place.path.as_str()).await? {
                None => return Ok(()),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }
}

fn no_upload(place: &UploadPlace) -> Error {
    let message = format!("there is no upload '{}' to '{}'", place.upload, place.path);
    Error::new(Code::UploadNotFound, place.upload.as_str(), message)
}
