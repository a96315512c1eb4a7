//! Listing, in both versions of the protocol.

use s3s::dto::{
    CommonPrefix, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    ObjectStorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LocalS3;
use super::error::s3_error;
use super::object::signed;
use crate::Page;
use crate::local::{Listed, ListingQuery, StoredObject};
use crate::protocol::{Names, etag, from_token, max_keys, timestamp, token};

/// A page, sorted into what the protocol keeps apart.
struct Lines {
    contents: Vec<Object>,
    prefixes: Vec<CommonPrefix>,
    next: Option<String>,
}

impl LocalS3 {
    pub(super) async fn list_v1(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = request.input;
        let names = Names::asked(input.encoding_type.as_ref())?;
        let query =
            query(input.prefix.clone(), input.delimiter.clone(), input.marker.clone(), input.max_keys)?;
        let lines = self.lines(&input.bucket, query, input.max_keys, names).await?;
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(names.write(input.prefix.unwrap_or_default())),
            marker: Some(names.write(input.marker.unwrap_or_default())),
            max_keys: Some(max_keys(input.max_keys)),
            is_truncated: Some(lines.next.is_some()),
            // S3 gives the next marker only with a delimiter; without one it is the last key.
            next_marker: lines.next.filter(|_| input.delimiter.is_some()).map(|next| names.write(next)),
            contents: Some(lines.contents),
            common_prefixes: Some(lines.prefixes),
            delimiter: input.delimiter.map(|delimiter| names.write(delimiter)),
            encoding_type: input.encoding_type,
            request_charged: None,
        }))
    }

    pub(super) async fn list_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let names = Names::asked(input.encoding_type.as_ref())?;
        let continued = input.continuation_token.as_deref().map(from_token).transpose()?;
        let after = continued.or_else(|| input.start_after.clone());
        let query = query(input.prefix.clone(), input.delimiter.clone(), after, input.max_keys)?;
        let lines = self.lines(&input.bucket, query, input.max_keys, names).await?;
        let count = lines.contents.len() + lines.prefixes.len();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(names.write(input.prefix.unwrap_or_default())),
            max_keys: Some(max_keys(input.max_keys)),
            key_count: Some(i32::try_from(count).expect("a page is small")),
            continuation_token: input.continuation_token,
            is_truncated: Some(lines.next.is_some()),
            next_continuation_token: lines.next.map(|next| token(&next)),
            contents: Some(lines.contents),
            common_prefixes: Some(lines.prefixes),
            delimiter: input.delimiter.map(|delimiter| names.write(delimiter)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|after| names.write(after)),
            request_charged: None,
        }))
    }

    async fn lines(
        &self,
        bucket: &str,
        query: ListingQuery,
        asked: Option<i32>,
        names: Names,
    ) -> S3Result<Lines> {
        if asked == Some(0) {
            return Ok(Lines { contents: Vec::new(), prefixes: Vec::new(), next: None });
        }
        let page = self.store.list(bucket, query).await.map_err(s3_error)?;
        Ok(sorted(page, names))
    }
}

fn sorted(page: Page<Listed>, names: Names) -> Lines {
    let mut lines = Lines { contents: Vec::new(), prefixes: Vec::new(), next: page.next };
    for line in page.items {
        match line {
            Listed::Object(key, object) => lines.contents.push(listed(names.write(key), &object)),
            Listed::Prefix(prefix) => {
                lines.prefixes.push(CommonPrefix { prefix: Some(names.write(prefix)) });
            }
        }
    }
    lines
}

fn listed(key: String, object: &StoredObject) -> Object {
    Object {
        key: Some(key),
        size: Some(signed(object.size)),
        e_tag: Some(etag(&object.etag)),
        last_modified: Some(timestamp(object.modified)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    }
}

fn query(
    prefix: Option<String>,
    delimiter: Option<String>,
    after: Option<String>,
    limit: Option<i32>,
) -> S3Result<ListingQuery> {
    let limit = usize::try_from(limit.unwrap_or(1000));
    let limit = limit.map_err(|_| refuse!(InvalidArgument, "max-keys is not negative"))?;
    let after = after.filter(|after| !after.is_empty());
    Ok(ListingQuery { prefix: prefix.unwrap_or_default(), delimiter, after, limit })
}
