//! The names of a request as the services want them.

use braid_types::{BranchName, ObjectPath, PathPrefix, RefExpression, RepositoryName};

use super::error::ApiError;
use super::query::Query;

/// A repository, a ref in it and a path of the query: what reads of objects name.
pub(crate) struct ObjectAt {
    pub(crate) repository: RepositoryName,
    pub(crate) reference: RefExpression,
    pub(crate) path: ObjectPath,
}

impl ObjectAt {
    pub(crate) fn new((repository, reference): (String, String), query: &Query) -> Result<Self, ApiError> {
        let (repository, reference) = ref_at((repository, reference))?;
        Ok(Self { repository, reference, path: path(query)? })
    }
}

/// A repository, a branch and a path of the query: what writes of objects name.
pub(crate) struct ObjectOn {
    pub(crate) repository: RepositoryName,
    pub(crate) branch: BranchName,
    pub(crate) path: ObjectPath,
}

impl ObjectOn {
    pub(crate) fn new(segments: (String, String), query: &Query) -> Result<Self, ApiError> {
        let (repository, branch) = branch_on(segments)?;
        Ok(Self { repository, branch, path: path(query)? })
    }
}

/// A repository and a ref in it.
pub(crate) fn ref_at(
    (repository, reference): (String, String),
) -> Result<(RepositoryName, RefExpression), ApiError> {
    Ok((RepositoryName::new(repository)?, RefExpression::parse(&reference)?))
}

/// A repository and a branch of it.
pub(crate) fn branch_on(
    (repository, branch): (String, String),
) -> Result<(RepositoryName, BranchName), ApiError> {
    Ok((RepositoryName::new(repository)?, BranchName::new(branch)?))
}

/// The path that the query names.
pub(crate) fn path(query: &Query) -> Result<ObjectPath, ApiError> {
    Ok(ObjectPath::new(query.required("path")?)?)
}

/// A prefix or a place in a list that the query names; nothing is the empty one.
pub(crate) fn prefix(query: &Query, name: &str) -> Result<PathPrefix, ApiError> {
    Ok(PathPrefix::new(query.text(name)?.unwrap_or_default())?)
}

/// Where in a list of paths the page begins.
pub(crate) fn after(query: &Query) -> Result<Option<PathPrefix>, ApiError> {
    Ok(query.text("after")?.map(PathPrefix::new).transpose()?)
}
