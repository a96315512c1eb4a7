//! The names of a request as the services want them.

use braid_types::{BranchName, ObjectPath, PathPrefix, RefExpression, RepositoryName};
use utoipa::IntoParams;

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
        Ok(Self { repository, reference, path: query.path()?.path })
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
        Ok(Self { repository, branch, path: query.path()?.path })
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

/// A path, as the query names it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PathQuery {
    #[param(value_type = String, min_length = 1)]
    path: ObjectPath,
}

/// A page of a list of paths, as it is asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PathsQuery {
    /// What the paths begin with.
    #[param(required = false, value_type = String)]
    pub(crate) prefix: PathPrefix,
    /// The path that the page begins after.
    #[param(value_type = Option<String>)]
    pub(crate) after: Option<PathPrefix>,
    /// How many items there are at most; -1 and 0 leave it to the server.
    #[param(required = false, value_type = i32, minimum = -1, maximum = 1000)]
    pub(crate) amount: u32,
    /// Paths that are equal up to this are listed as one.
    pub(crate) delimiter: Option<String>,
}

impl Query {
    /// The path that is named.
    fn path(&self) -> Result<PathQuery, ApiError> {
        Ok(PathQuery { path: ObjectPath::new(self.required("path")?)? })
    }

    /// The page that is wanted of a list of paths.
    pub(crate) fn paths(&self) -> Result<PathsQuery, ApiError> {
        Ok(PathsQuery {
            prefix: PathPrefix::new(self.text("prefix")?.unwrap_or_default())?,
            after: self.text("after")?.map(PathPrefix::new).transpose()?,
            amount: self.amount()?,
            delimiter: self.text("delimiter")?.map(str::to_owned),
        })
    }
}
