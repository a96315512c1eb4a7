//! Large bodies: sent in parts, several at once, each tried again for itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use braid_types::{BranchName, ObjectPath, RepositoryName, limits};
use braid_wire::{
    CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, MultipartUpload, Object, PartTarget,
    UploadAddress,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::body::{Body, Piece};
use super::store::Next;
use super::upload::Destination;
use super::{Progress, TransferError, UploadOptions};
use crate::client::Client;

/// Bodies that are larger than so many bytes are uploaded in parts.
pub const IN_PARTS_ABOVE: u64 = 64 << 20;

/// How long a part is, unless there would be too many of them.
const PART_BYTES: u64 = 16 << 20;

/// Parts under way at once.
const PARALLEL: usize = 4;

/// An upload all of whose parts were sent: nothing is staged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentParts {
    /// Which upload.
    pub upload: UploadAddress,
    /// Its parts, by number.
    pub parts: Vec<CompletedPart>,
}

impl Client {
    /// Sends `body` in parts, several at once; each part that fails is sent again for itself. What comes back is to be
    /// [linked](Client::link_parts). If this fails, the upload is given up.
    ///
    /// # Errors
    /// As of [`Client::put`].
    pub async fn put_parts(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        path: &ObjectPath,
        body: &Body,
        options: &UploadOptions,
    ) -> Result<SentParts, TransferError> {
        let create = CreateMultipartUpload {
            repository: repository.clone(),
            branch: branch.clone(),
            path: path.clone(),
            content_type: options.content_type.clone(),
            metadata: options.metadata.clone(),
        };
        let MultipartUpload { upload_id, .. } = self.create_multipart_upload(create).await?;
        let (repository, branch, path) = (repository.clone(), branch.clone(), path.clone());
        let upload = UploadAddress { repository, branch, path, upload_id };
        match Box::pin(self.send_parts(&upload, body, options)).await {
            Ok(parts) => Ok(SentParts { upload, parts }),
            Err(error) => {
                // What cannot be given up now, the service gives up later.
                let _ = self.abort_multipart_upload(upload).await;
                Err(error)
            }
        }
    }

    /// Makes an object of sent parts and stages it.
    ///
    /// # Errors
    /// Those of [`Client::complete_multipart_upload`].
    pub async fn link_parts(
        &self,
        sent: SentParts,
        options: &UploadOptions,
    ) -> Result<Object, braid_types::Error> {
        self.complete_multipart_upload(CompleteMultipartUpload {
            upload: sent.upload,
            parts: sent.parts,
            content_type: None,
            metadata: std::collections::BTreeMap::new(),
            if_absent: options.if_absent,
            if_etag: options.if_etag.clone(),
            if_generation: options.if_generation,
        })
        .await
    }

    async fn send_parts(
        &self,
        upload: &UploadAddress,
        body: &Body,
        options: &UploadOptions,
    ) -> Result<Vec<CompletedPart>, TransferError> {
        let total = Arc::new(AtomicU64::new(0));
        let parts = pieces(body, PART_BYTES).map(|(number, piece)| {
            let progress = options.progress.as_ref().map(|tell| part_of(tell, &total));
            self.send_part(upload, number, piece, progress)
        });
        stream::iter(parts).buffered(PARALLEL).try_collect().await
    }

    async fn send_part(
        &self,
        upload: &UploadAddress,
        number: u32,
        piece: Piece,
        progress: Option<Progress>,
    ) -> Result<CompletedPart, TransferError> {
        let target = || vec![PartTarget { number, size: Some(piece.size()) }];
        let mut retries = self.retries();
        let mut place = self.presign_parts(upload.clone(), target()).await?.remove(0);
        loop {
            let to = Destination { path: upload.path.as_str(), url: &place.url, headers: &place.headers };
            match self.put_once(to, piece.clone(), progress.clone()).await? {
                Ok(etag) => return Ok(CompletedPart { number, etag }),
                Err(refusal) => {
                    if refusal.recover(&mut retries).await? == Next::Renew {
                        place = self.presign_parts(upload.clone(), target()).await?.remove(0);
                    }
                }
            }
        }
    }
}

/// The parts of a body: as long as `usual`, or longer if there would be too many.
fn pieces(body: &Body, usual: u64) -> impl Iterator<Item = (u32, Piece)> {
    let total = body.size();
    let length = usual.max(total.div_ceil(limits::UPLOAD_PARTS as u64)).max(1);
    let count = u32::try_from(total.div_ceil(length).max(1)).expect("parts are few");
    let body = body.clone();
    (0..count).map(move |index| {
        let from = u64::from(index) * length;
        (index + 1, Piece::of(&body, from, length.min(total - from)))
    })
}

/// Tells how much of all parts has moved, whenever more of one has.
fn part_of(tell: &Progress, total: &Arc<AtomicU64>) -> Progress {
    let (tell, total, before) = (Arc::clone(tell), Arc::clone(total), AtomicU64::new(0));
    Arc::new(move |moved| {
        // A part that begins anew has moved less than before: the difference wraps, and so does the sum.
        let change = moved.wrapping_sub(before.swap(moved, Ordering::Relaxed));
        tell(total.fetch_add(change, Ordering::Relaxed).wrapping_add(change));
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;

    use super::*;

    fn sizes(total: usize, usual: u64) -> Vec<u64> {
        let body = Body::Bytes(Bytes::from(vec![0; total]));
        let pieces: Vec<_> = pieces(&body, usual).collect();
        assert!(pieces.iter().map(|(number, _)| *number).eq(1..=u32::try_from(pieces.len()).unwrap()));
        pieces.into_iter().map(|(_, piece)| piece.size()).collect()
    }

    #[test]
    fn pieces_cover_a_body_and_are_at_most_ten_thousand() {
        assert_eq!(sizes(10, 4), [4, 4, 2]);
        assert_eq!(sizes(8, 4), [4, 4]);
        assert_eq!(sizes(0, 4), [0]);
        let many = sizes(25_000, 1);
        assert_eq!((many.len(), many.iter().sum::<u64>()), (8_334, 25_000));
    }

    #[test]
    fn progress_of_parts_adds_up_and_goes_back_when_one_begins_anew() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&told);
        let tell: Progress = Arc::new(move |moved| seen.lock().unwrap().push(moved));
        let total = Arc::default();
        let (one, two) = (part_of(&tell, &total), part_of(&tell, &total));
        for (part, moved) in [(&one, 5), (&two, 3), (&one, 7), (&one, 1), (&two, 4)] {
            part(moved);
        }
        assert_eq!(*told.lock().unwrap(), [5, 8, 10, 4, 5]);
    }
}
