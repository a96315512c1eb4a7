//! Writing objects: the data goes to a fresh place in the object store, and then it is staged.

use std::collections::BTreeMap;

use braid_client::{Client, Link, Upload, UploadTarget};
use braid_objects::protocol::{WriteCondition, etag, header_condition, put_output, write_condition};
use braid_types::{BranchName, Code, Error, RefExpression};
use http::HeaderMap;
use s3s::dto::{PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error as refuse};

use super::LakeS3;
use super::address::{WriteAddress, repository, write_address};
use super::error::{s3_error, store_error, write_error};
use super::incoming::{Incoming, Received};
use super::metadata;
use crate::data::Place;

/// The MD5 of nothing.
const EMPTY_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// What is said of an object beside its data.
pub(super) struct Described {
    pub(super) content_type: String,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) condition: WriteCondition,
}

/// A fresh place for an object's data.
pub(super) struct Fresh {
    pub(super) upload: Upload,
    pub(super) place: Place,
}

impl LakeS3 {
    pub(super) async fn put(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let client = self.client(&request);
        let S3Request { input, headers, trailing_headers: trailers, .. } = request;
        if let Some(branch) = root_of(&input.key)
            && input.content_length == Some(0)
        {
            return put_root(&client, &input.bucket, branch).await;
        }
        let at = write_address(&input.bucket, &input.key)?;
        let described = Described {
            content_type: input.content_type.unwrap_or_default(),
            metadata: metadata::kept(input.metadata)?,
            condition: write_condition(input.if_match, input.if_none_match)?,
        };
        check_condition(&client, &at, &described.condition).await?;
        let fresh = self.fresh(&client, &at, &described.content_type).await?;
        let incoming = Incoming::new(input.body, input.content_length, headers, trailers);
        let (source, outcome) = incoming.into_source()?;
        let typed = Some(described.content_type.clone()).filter(|content_type| !content_type.is_empty());
        let written = fresh.place.store.write(&fresh.place.key, source, typed).await;
        let written = written.map_err(|error| outcome.or(store_error(&error, &input.key)))?;
        let Received { size, checksum } = outcome.received()?;
        stage(client, at, fresh, described, size, written.etag.clone()).await?;
        Ok(S3Response::new(put_output(&written.etag, checksum)))
    }

    /// A place for the data of an object that is to be staged at `at`.
    pub(super) async fn fresh(
        &self,
        client: &Client,
        at: &WriteAddress,
        content_type: &str,
    ) -> S3Result<Fresh> {
        let content_type = content_type.to_owned();
        let target = UploadTarget { path: at.path.clone(), content_type, size: None };
        let upload = client.create_upload(&at.repository, &at.branch, target).await;
        let upload = upload.map_err(|error| write_error(&error))?;
        let place = Place::at(&*self.shared.parts.stores, &upload.physical_address);
        Ok(Fresh { upload, place: place.map_err(|error| s3_error(&error))? })
    }
}

/// The branch whose root a key names.
fn root_of(key: &str) -> Option<&str> {
    let branch = key.strip_suffix('/')?;
    (!branch.contains('/')).then_some(branch)
}

/// Answers clients that make a directory, as an empty object, of each part of a key: the root of a branch is there.
async fn put_root(client: &Client, bucket: &str, branch: &str) -> S3Result<S3Response<PutObjectOutput>> {
    let no_branch = || refuse!(NoSuchBucket, "\"{branch}\" is no branch of \"{bucket}\"");
    let name = BranchName::new(branch).map_err(|_| no_branch())?;
    client.get_branch(&repository(bucket)?, &name).await.map_err(|error| write_error(&error))?;
    Ok(S3Response::new(PutObjectOutput { e_tag: Some(etag(EMPTY_MD5)), ..PutObjectOutput::default() }))
}

/// Stages data of `size` bytes with entity tag `checksum`. This goes on if the caller goes away: data that is there is
/// staged, or it is removed.
pub(super) async fn stage(
    client: Client,
    at: WriteAddress,
    fresh: Fresh,
    described: Described,
    size: u64,
    checksum: String,
) -> S3Result<()> {
    let staging = tokio::spawn(async move {
        let (if_absent, if_etag) = condition_of(&client, &at, described.condition).await?;
        let link = Link {
            path: at.path,
            intent: fresh.upload.intent,
            checksum,
            size,
            content_type: described.content_type,
            metadata: described.metadata,
            if_absent,
            if_etag,
            if_generation: None,
        };
        let staged = client.link_upload(&at.repository, &at.branch, link).await.map(|_| ());
        if staged.as_ref().is_err_and(|error| !error.may_have_happened()) {
            fresh.place.discard().await;
        }
        staged
    });
    match staging.await {
        Ok(staged) => staged.map_err(|error| write_error(&error)),
        Err(_) => Err(refuse!(InternalError, "the object was not staged")),
    }
}

/// A condition as the services take it. They know no condition that any object will do: whichever is there is named.
pub(super) async fn condition_of(
    client: &Client,
    at: &WriteAddress,
    condition: WriteCondition,
) -> Result<(bool, Option<String>), Error> {
    match condition {
        WriteCondition::None => Ok((false, None)),
        WriteCondition::Absent => Ok((true, None)),
        WriteCondition::Matches(etag) => Ok((false, Some(etag))),
        WriteCondition::Present => {
            let found = current(client, at).await?;
            let missing = || {
                let message = format!("there is no object at '{}' to be replaced", at.path);
                Error::new(Code::PreconditionFailed, at.path.as_str(), message)
            };
            Ok((false, Some(found.ok_or_else(missing)?)))
        }
    }
}

/// Refuses a write whose condition does not hold before any data is taken. The stage decides again.
pub(super) async fn check_condition(
    client: &Client,
    at: &WriteAddress,
    condition: &WriteCondition,
) -> S3Result<()> {
    if *condition == WriteCondition::None {
        return Ok(());
    }
    let found = current(client, at).await.map_err(|error| write_error(&error))?;
    match (condition, found) {
        (WriteCondition::Absent, Some(_)) => {
            Err(refuse!(PreconditionFailed, "there is an object at \"{}\"", at.path))
        }
        (WriteCondition::Present | WriteCondition::Matches(_), None) => {
            Err(refuse!(NoSuchKey, "there is no object at \"{}\"", at.path))
        }
        (WriteCondition::Matches(etag), Some(found)) if *etag != found => {
            Err(refuse!(PreconditionFailed, "the object at \"{}\" has etag \"{found}\"", at.path))
        }
        _ => Ok(()),
    }
}

/// The checksum of the object at a path of a branch.
async fn current(client: &Client, at: &WriteAddress) -> Result<Option<String>, Error> {
    let reference = RefExpression::parse(at.branch.as_str())?;
    match client.stat_object(&at.repository, &reference, &at.path).await {
        Ok(object) => Ok(Some(object.entry.checksum)),
        Err(error) if error.code() == Code::ObjectNotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The condition that a request's headers give, for operations whose input lacks them.
pub(super) fn condition_in(headers: &HeaderMap) -> S3Result<WriteCondition> {
    write_condition(header_condition(headers, "if-match")?, header_condition(headers, "if-none-match")?)
}
