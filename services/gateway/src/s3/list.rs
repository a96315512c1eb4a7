//! Listing, in both versions of the protocol: branches as the directories of a bucket, and paths below them.

use braid_client::{Client, ListItem, ListObjects, Object as Found};
use braid_objects::protocol::{Lines, Names, from_token, listed_object, page_limit};
use braid_types::{Code, PathPrefix, RefExpression, RepositoryName};
use futures::{StreamExt, TryStreamExt};
use s3s::dto::{ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object};
use s3s::{S3Request, S3Response, S3Result};

use super::LakeS3;
use super::address::{ListAddress, list_address, repository};
use super::error::s3_error;
use super::read::signed;

/// What is asked for, in either version.
struct Query {
    bucket: String,
    prefix: String,
    delimiter: Option<String>,
    after: Option<String>,
    limit: usize,
}

impl LakeS3 {
    pub(super) async fn list_v1(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let client = self.client(&request);
        let input = request.input;
        let names = Names::asked(input.encoding_type.as_ref())?;
        let query = Query {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            after: input.marker.clone(),
            limit: page_limit(input.max_keys)?,
        };
        let lines = lines(&client, query, input.max_keys, names).await?;
        // The next marker is there without a delimiter, too: branches come as common prefixes all the same.
        Ok(S3Response::new(lines.into_v1(input, names)))
    }

    pub(super) async fn list_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let client = self.client(&request);
        let input = request.input;
        let names = Names::asked(input.encoding_type.as_ref())?;
        let continued = input.continuation_token.as_deref().map(from_token).transpose()?;
        let query = Query {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            after: continued.or_else(|| input.start_after.clone()),
            limit: page_limit(input.max_keys)?,
        };
        let lines = lines(&client, query, input.max_keys, names).await?;
        Ok(S3Response::new(lines.into_v2(input, names)))
    }
}

async fn lines(client: &Client, query: Query, asked: Option<i32>, names: Names) -> S3Result<Lines> {
    let repository = repository(&query.bucket)?;
    let address = list_address(&query.prefix)?;
    if asked == Some(0) {
        client.get_repository(&repository).await.map_err(|error| s3_error(&error))?;
        return Ok(Lines::default());
    }
    match address {
        ListAddress::Refs(prefix) => branches(client, &repository, &prefix, &query, names).await,
        ListAddress::Paths(Some(reference), prefix) => {
            paths(client, &repository, reference, prefix, &query, names).await
        }
        ListAddress::Paths(None, _) => {
            client.get_repository(&repository).await.map_err(|error| s3_error(&error))?;
            Ok(Lines::default())
        }
    }
}

/// Branches as common prefixes, whatever the delimiter: all paths of all branches would be no listing of use.
async fn branches(
    client: &Client,
    repository: &RepositoryName,
    prefix: &str,
    query: &Query,
    names: Names,
) -> S3Result<Lines> {
    let after = query.after.clone().unwrap_or_default();
    let later = client.branches(repository, prefix).try_filter_map(|branch| {
        let name = format!("{}/", branch.name);
        std::future::ready(Ok((name > after).then_some(name)))
    });
    let found: Vec<String> =
        later.take(query.limit + 1).try_collect().await.map_err(|error| s3_error(&error))?;
    let mut lines = Lines::default();
    if found.len() > query.limit {
        lines.next = found.get(query.limit - 1).cloned();
    }
    found.into_iter().take(query.limit).for_each(|name| lines.push_prefix(names.write(name)));
    Ok(lines)
}

/// Where a listing of paths at a ref goes on.
enum Start {
    Everywhere,
    After(PathPrefix),
    Nowhere,
}

async fn paths(
    client: &Client,
    repository: &RepositoryName,
    reference: RefExpression,
    prefix: PathPrefix,
    query: &Query,
    names: Names,
) -> S3Result<Lines> {
    let root = format!("{}/", reference.text());
    let after = match start(&root, query.after.as_deref())? {
        Start::Everywhere => None,
        Start::After(path) => Some(path),
        Start::Nowhere => return Ok(Lines::default()),
    };
    let request = ListObjects {
        repository: repository.clone(),
        reference,
        prefix,
        delimiter: query.delimiter.clone(),
        after,
        page_size: u32::try_from(query.limit).ok(),
        page_token: None,
    };
    let page = match client.list_objects(request).await {
        Ok(page) => page,
        // In S3 a prefix of nothing is an empty listing.
        Err(error) if is_no_ref(error.code()) => return Ok(Lines::default()),
        Err(error) => return Err(s3_error(&error)),
    };
    let mut lines = Lines::default();
    let more = page.next_page_token.is_some();
    lines.next = page.items.last().filter(|_| more).map(|last| format!("{root}{}", name(last)));
    for item in page.items {
        let key = names.write(format!("{root}{}", name(&item)));
        match item {
            ListItem::Object(object) => lines.contents.push(listed(key, &object)?),
            ListItem::CommonPrefix(_) => lines.push_prefix(key),
        }
    }
    Ok(lines)
}

fn is_no_ref(code: Code) -> bool {
    matches!(code, Code::RefNotFound | Code::BranchNotFound | Code::TagNotFound | Code::CommitNotFound)
}

/// Where among the paths at a ref, whose keys begin with `root`, the keys after `after` begin.
fn start(root: &str, after: Option<&str>) -> S3Result<Start> {
    let Some(after) = after.filter(|after| !after.is_empty()) else { return Ok(Start::Everywhere) };
    if let Some(path) = after.strip_prefix(root) {
        if path.is_empty() {
            return Ok(Start::Everywhere);
        }
        return PathPrefix::new(path).map(Start::After).map_err(|error| s3_error(&error));
    }
    Ok(if after < root { Start::Everywhere } else { Start::Nowhere })
}

fn name(item: &ListItem) -> &str {
    match item {
        ListItem::Object(object) => object.path.as_str(),
        ListItem::CommonPrefix(prefix) => prefix.as_str(),
    }
}

fn listed(key: String, object: &Found) -> S3Result<Object> {
    let entry = &object.entry;
    Ok(listed_object(key, signed(entry.size)?, &entry.checksum, entry.mtime.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_a_key_of_any_ref() {
        let at = |after: Option<&str>| match start("main/", after).unwrap() {
            Start::Everywhere => "everywhere".to_owned(),
            Start::After(path) => format!("after {path}"),
            Start::Nowhere => "nowhere".to_owned(),
        };
        assert_eq!(at(None), "everywhere");
        assert_eq!(at(Some("")), "everywhere");
        assert_eq!(at(Some("dev/z")), "everywhere");
        assert_eq!(at(Some("main")), "everywhere");
        assert_eq!(at(Some("main/")), "everywhere");
        assert_eq!(at(Some("main/a/b")), "after a/b");
        assert_eq!(at(Some("main0")), "nowhere");
    }
}
