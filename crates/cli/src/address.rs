//! Addresses: `braid://repository/ref/path`.
//!
//! The path is everything after the second slash, byte for byte. Which parts an address must and may have is part of its
//! type, so that a command is only called with addresses that it can use.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use braid_types::{
    BranchName, Error, ObjectPath, PathPrefix, PullId, RefExpression, RepositoryName, TagName,
};

const SCHEME: &str = "braid://";

/// A place in a repository: at what, and at which path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address<R, P> {
    pub(crate) repository: RepositoryName,
    pub(crate) reference: R,
    pub(crate) path: P,
}

/// A ref, without a path.
pub(crate) type RefAddress = Address<RefExpression, NoPath>;
/// A branch, without a path.
pub(crate) type BranchAddress = Address<BranchName, NoPath>;
/// A tag.
pub(crate) type TagAddress = Address<TagName, NoPath>;
/// A pull request.
pub(crate) type PullAddress = Address<PullId, NoPath>;
/// One object at a ref.
pub(crate) type ObjectAddress = Address<RefExpression, ObjectPath>;
/// One object on a branch.
pub(crate) type BranchObjectAddress = Address<BranchName, ObjectPath>;
/// What is under a prefix at a ref; the prefix may be empty.
pub(crate) type TreeAddress = Address<RefExpression, PathPrefix>;
/// What is under a prefix on a branch; the prefix may be empty.
pub(crate) type BranchTreeAddress = Address<BranchName, PathPrefix>;

/// A whole repository: `braid://repository`, or its bare name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepositoryAddress(pub(crate) RepositoryName);

/// Stands where an address has no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoPath;

/// Why a text is not the address that is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// It does not begin as addresses do.
    #[error("an address looks like braid://repository/ref/path")]
    Scheme,
    /// No repository is named.
    #[error("the repository is missing: braid://repository/ref/path")]
    NoRepository,
    /// No ref is named.
    #[error("the {what} is missing: braid://{repository}/<{what}>")]
    NoReference {
        /// The repository named.
        repository: String,
        /// What kind of ref is needed.
        what: &'static str,
    },
    /// No path is named.
    #[error("the path is missing: braid://{repository}/{reference}/<path>")]
    NoPath {
        /// The repository named.
        repository: String,
        /// The ref named.
        reference: String,
    },
    /// A path is named where there cannot be one.
    #[error("there must be no path here, and '{path}' is one")]
    Path {
        /// The path named.
        path: String,
    },
    /// More than a repository is named.
    #[error("only a repository can be named here: braid://{repository}")]
    MoreThanRepository {
        /// The repository named.
        repository: String,
    },
    /// A branch is needed.
    #[error("this changes a branch, and {0}")]
    Branch(Error),
    /// A part breaks the rule for such parts.
    #[error(transparent)]
    Part(#[from] Error),
}

/// What an address can name between its first and second slash.
pub(crate) trait ReferencePart: Sized {
    const WHAT: &'static str;
    fn read(text: &str) -> Result<Self, AddressError>;
}

/// What an address can name after its second slash.
pub(crate) trait PathPart: Sized {
    /// None if a path must be named, and is not.
    fn read(text: &str) -> Result<Option<Self>, AddressError>;
}

impl ReferencePart for RefExpression {
    const WHAT: &'static str = "ref";

    fn read(text: &str) -> Result<Self, AddressError> {
        Ok(Self::parse(text)?)
    }
}

impl ReferencePart for BranchName {
    const WHAT: &'static str = "branch";

    fn read(text: &str) -> Result<Self, AddressError> {
        Self::new(text).map_err(AddressError::Branch)
    }
}

impl ReferencePart for TagName {
    const WHAT: &'static str = "tag";

    fn read(text: &str) -> Result<Self, AddressError> {
        Ok(Self::new(text)?)
    }
}

impl ReferencePart for PullId {
    const WHAT: &'static str = "pull request";

    fn read(text: &str) -> Result<Self, AddressError> {
        Ok(text.parse()?)
    }
}

impl PathPart for NoPath {
    fn read(text: &str) -> Result<Option<Self>, AddressError> {
        if text.is_empty() { Ok(Some(Self)) } else { Err(AddressError::Path { path: text.to_owned() }) }
    }
}

impl PathPart for PathPrefix {
    fn read(text: &str) -> Result<Option<Self>, AddressError> {
        Ok(Some(Self::new(text)?))
    }
}

impl PathPart for ObjectPath {
    fn read(text: &str) -> Result<Option<Self>, AddressError> {
        if text.is_empty() { Ok(None) } else { Ok(Some(Self::existing(text)?)) }
    }
}

impl<R: ReferencePart, P: PathPart> FromStr for Address<R, P> {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let parts = split(text)?;
        let repository = RepositoryName::new(parts.repository)?;
        if parts.reference.is_empty() {
            return Err(AddressError::NoReference { repository: repository.to_string(), what: R::WHAT });
        }
        let reference = R::read(parts.reference)?;
        let missing = || AddressError::NoPath {
            repository: parts.repository.to_owned(),
            reference: parts.reference.to_owned(),
        };
        let path = P::read(parts.path)?.ok_or_else(missing)?;
        Ok(Self { repository, reference, path })
    }
}

impl FromStr for RepositoryAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !text.contains('/') {
            return Ok(Self(RepositoryName::new(text)?));
        }
        let parts = split(text)?;
        let repository = RepositoryName::new(parts.repository)?;
        if parts.reference.is_empty() && parts.path.is_empty() {
            return Ok(Self(repository));
        }
        Err(AddressError::MoreThanRepository { repository: repository.to_string() })
    }
}

/// A directory ends in a slash, whether it was given or not. The empty path is everything.
pub(crate) fn directory(path: &PathPrefix) -> Result<PathPrefix, Error> {
    if path.is_empty() || path.as_str().ends_with('/') {
        return Ok(path.clone());
    }
    PathPrefix::new(format!("{path}/"))
}

struct Parts<'a> {
    repository: &'a str,
    reference: &'a str,
    path: &'a str,
}

fn split(text: &str) -> Result<Parts<'_>, AddressError> {
    let rest = text.strip_prefix(SCHEME).ok_or(AddressError::Scheme)?;
    let (repository, rest) = rest.split_once('/').unwrap_or((rest, ""));
    if repository.is_empty() {
        return Err(AddressError::NoRepository);
    }
    let (reference, path) = rest.split_once('/').unwrap_or((rest, ""));
    Ok(Parts { repository, reference, path })
}

impl<R: fmt::Display, P: fmt::Display> fmt::Display for Address<R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}{}", self.repository, self.reference, OnPath(&self.path))
    }
}

impl fmt::Display for RepositoryAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.0)
    }
}

impl fmt::Display for NoPath {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// A path after its slash; nothing if there is none.
struct OnPath<'a, P>(&'a P);

impl<P: fmt::Display> fmt::Display for OnPath<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.to_string();
        if path.is_empty() { Ok(()) } else { write!(f, "/{path}") }
    }
}
