//! Listing, in both versions of the protocol.

use s3s::dto::{ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LocalS3;
use super::error::s3_error;
use super::object::signed;
use crate::Page;
use crate::local::{Listed, ListingQuery, StoredObject};
use crate::protocol::{Lines, Names, from_token, listed_object};

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
        Ok(S3Response::new(lines.into_v1(input, names)))
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
        Ok(S3Response::new(lines.into_v2(input, names)))
    }

    async fn lines(
        &self,
        bucket: &str,
        query: ListingQuery,
        asked: Option<i32>,
        names: Names,
    ) -> S3Result<Lines> {
        if asked == Some(0) {
            return Ok(Lines::default());
        }
        let page = self.store.list(bucket, query).await.map_err(s3_error)?;
        Ok(sorted(page, names))
    }
}

fn sorted(page: Page<Listed>, names: Names) -> Lines {
    let mut lines = Lines { next: page.next, ..Lines::default() };
    for line in page.items {
        match line {
            Listed::Object(key, object) => {
                let StoredObject { size, etag, modified, .. } = object;
                lines.contents.push(listed_object(names.write(key), signed(size), &etag, modified));
            }
            Listed::Prefix(prefix) => lines.push_prefix(names.write(prefix)),
        }
    }
    lines
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
