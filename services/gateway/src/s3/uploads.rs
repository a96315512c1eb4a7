//! Listing uploads in parts that are under way.

use braid_client::{Client, ListMultipartUploads, MultipartUpload as Found};
use braid_objects::protocol::{Names, listed_upload, page_limit, uploads_output};
use braid_types::{BranchName, Code, PathPrefix, RepositoryName};
use futures::TryStreamExt;
use s3s::dto::{ListMultipartUploadsInput, ListMultipartUploadsOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LakeS3;
use super::address::repository;
use super::error::s3_error;

/// Where a listing goes on.
struct Marker {
    key: String,
    upload: Option<String>,
}

impl LakeS3 {
    pub(super) async fn list_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let client = self.client(&request);
        let input = request.input;
        if input.delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(refuse!(NotImplemented, "uploads are listed without a delimiter"));
        }
        let names = Names::asked(input.encoding_type.as_ref())?;
        let limit = page_limit(input.max_uploads)?;
        let repository = repository(&input.bucket)?;
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let upload = input.upload_id_marker.clone().filter(|id| !id.is_empty());
        let marker = input.key_marker.clone().map(|key| Marker { key, upload });
        let mut uploads = under_way(&client, &repository, prefix, marker.as_ref(), limit + 1).await?;
        let more = uploads.len() > limit;
        uploads.truncate(limit);
        let last = uploads.last().filter(|_| more).map(|last| (key(last), last.upload_id.clone()));
        let listed = uploads.iter().map(|upload| {
            listed_upload(names.write(key(upload)), upload.upload_id.clone(), upload.started_at.seconds)
        });
        Ok(S3Response::new(uploads_output(input, names, listed.collect(), last)?))
    }
}

/// Up to `limit` uploads to keys that begin with `prefix`, branch by branch.
async fn under_way(
    client: &Client,
    repository: &RepositoryName,
    prefix: &str,
    marker: Option<&Marker>,
    limit: usize,
) -> S3Result<Vec<Found>> {
    let (branches, path_prefix) = match prefix.split_once('/') {
        None => {
            let named = client.branches(repository, prefix).map_ok(|branch| branch.name);
            (named.try_collect().await.map_err(|error| s3_error(&error))?, "")
        }
        Some((branch, path)) => (BranchName::new(branch).ok().into_iter().collect::<Vec<_>>(), path),
    };
    let mut found = Vec::new();
    for branch in branches {
        let Some((after, after_upload_id)) = after(&branch, marker)? else { continue };
        let list = ListMultipartUploads {
            repository: repository.clone(),
            branch,
            prefix: PathPrefix::new(path_prefix).map_err(|error| s3_error(&error))?,
            after,
            after_upload_id,
            page_size: u32::try_from(limit - found.len()).ok(),
        };
        match client.list_multipart_uploads(list).await {
            Ok(page) => found.extend(page.uploads),
            // In S3 a prefix of nothing is an empty listing.
            Err(error) if error.code() == Code::BranchNotFound => {}
            Err(error) => return Err(s3_error(&error)),
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// Where the uploads to a branch go on behind a marker; `None` if there are none behind it.
fn after(
    branch: &BranchName,
    marker: Option<&Marker>,
) -> S3Result<Option<(Option<PathPrefix>, Option<String>)>> {
    let Some(Marker { key, upload }) = marker.filter(|marker| !marker.key.is_empty()) else {
        return Ok(Some((None, None)));
    };
    let root = format!("{branch}/");
    match key.strip_prefix(&root) {
        Some(path) if !path.is_empty() => {
            let path = PathPrefix::new(path).map_err(|error| s3_error(&error))?;
            Ok(Some((Some(path), upload.clone())))
        }
        _ if **key < *root => Ok(Some((None, None))),
        Some(_) => Ok(Some((None, None))),
        None => Ok(None),
    }
}

fn key(upload: &Found) -> String {
    format!("{}/{}", upload.branch, upload.path)
}
