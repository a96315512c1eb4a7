//! From a bucket and a key to a repository, a ref and a path.

use braid_types::{BranchName, ObjectPath, PathPrefix, RefExpression, RepositoryName};
use s3s::{S3Result, s3_error as refuse};

use super::error::{s3_error, write_error};

/// An object to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadAddress {
    pub(super) repository: RepositoryName,
    pub(super) reference: RefExpression,
    pub(super) path: ObjectPath,
}

/// An object to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WriteAddress {
    pub(super) repository: RepositoryName,
    pub(super) branch: BranchName,
    pub(super) path: ObjectPath,
}

/// The repository that a bucket is.
pub(super) fn repository(bucket: &str) -> S3Result<RepositoryName> {
    RepositoryName::new(bucket).map_err(|_| refuse!(NoSuchBucket, "there is no repository \"{bucket}\""))
}

/// The object that a key names, at any ref.
pub(super) fn read_address(bucket: &str, key: &str) -> S3Result<ReadAddress> {
    let repository = repository(bucket)?;
    let (reference, path) = split(key)?;
    let nowhere = || refuse!(NoSuchKey, "\"{key}\" is no ref and path");
    Ok(ReadAddress {
        repository,
        reference: RefExpression::parse(reference).map_err(|_| nowhere())?,
        path: ObjectPath::existing(path).map_err(|error| s3_error(&error))?,
    })
}

/// The object that a key names, on a branch.
pub(super) fn write_address(bucket: &str, key: &str) -> S3Result<WriteAddress> {
    let repository = repository(bucket)?;
    let (branch, path) = split(key)?;
    let no_branch = || refuse!(NoSuchBucket, "\"{branch}\" is no branch of \"{bucket}\"");
    Ok(WriteAddress {
        repository,
        branch: BranchName::new(branch).map_err(|_| no_branch())?,
        path: ObjectPath::new(path).map_err(|error| write_error(&error))?,
    })
}

/// The prefix of a listing: of names of refs, or of paths at one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListAddress {
    /// Names of branches that begin so.
    Refs(String),
    /// Paths at a ref that begin so; `None` if there can be no such ref.
    Paths(Option<RefExpression>, PathPrefix),
}

/// What the prefix of a listing asks for.
pub(super) fn list_address(prefix: &str) -> S3Result<ListAddress> {
    let Some((reference, path)) = prefix.split_once('/') else {
        return Ok(ListAddress::Refs(prefix.to_owned()));
    };
    let path = PathPrefix::new(path).map_err(|error| s3_error(&error))?;
    Ok(ListAddress::Paths(RefExpression::parse(reference).ok(), path))
}

fn split(key: &str) -> S3Result<(&str, &str)> {
    let parts = key.split_once('/').filter(|(reference, path)| !reference.is_empty() && !path.is_empty());
    parts.ok_or_else(|| refuse!(NoSuchKey, "the key of an object is a ref, \"/\" and a path, not \"{key}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: std::fmt::Debug>(result: S3Result<T>) -> String {
        result.unwrap_err().code().as_str().to_owned()
    }

    #[test]
    fn a_key_is_split_at_its_first_slash_and_nothing_else_is_changed() {
        for (key, reference, path) in [
            ("main/a", "main", "a"),
            ("main//a/../b/", "main", "/a/../b/"),
            ("v1~2/ ü+%20", "v1~2", " ü+%20"),
        ] {
            let address = read_address("lake", key).unwrap();
            assert_eq!((address.reference.text(), address.path.as_str()), (reference, path));
        }
    }

    #[test]
    fn what_names_nothing_is_not_found() {
        for key in ["main", "main/", "/a", "a b/c"] {
            assert_eq!(code(read_address("lake", key)), "NoSuchKey", "{key}");
        }
        assert_eq!(code(read_address("No-Lake", "main/a")), "NoSuchBucket");
        assert_eq!(code(read_address("No-Lake", "main")), "NoSuchBucket");
        assert_eq!(code(write_address("No-Lake", "main")), "NoSuchBucket");
        assert_eq!(code(write_address("lake", "main~1/a")), "NoSuchBucket");
        assert_eq!(code(write_address("lake", "main")), "NoSuchKey");
        assert_eq!(code(write_address("lake", &format!("main/{}", "k".repeat(1025)))), "KeyTooLongError");
    }
}
