//! What the segments of a path name.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use braid_types::{BranchName, PullId, RepositoryName};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// The segments of a path, decoded; refused as the API does if they are not UTF-8.
pub(crate) struct Segments<T>(pub(crate) T);

impl<T, S> FromRequestParts<S> for Segments<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path: Result<Path<T>, PathRejection> = Path::from_request_parts(parts, state).await;
        path.map(|Path(segments)| Self(segments)).map_err(|error| ApiError::bad_request(error.body_text()))
    }
}

/// What the segments of a path name, as the services want it.
pub(crate) struct Names<T>(pub(crate) T);

/// A thing that segments can name.
pub(crate) trait Named: Sized {
    /// The segments.
    type Segments: DeserializeOwned + Send;

    /// The thing that they name, if they follow its rules.
    fn named(segments: Self::Segments) -> Result<Self, ApiError>;
}

impl<T: Named, S: Send + Sync> FromRequestParts<S> for Names<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Segments(segments) = Segments::from_request_parts(parts, state).await?;
        T::named(segments).map(Self)
    }
}

impl Named for RepositoryName {
    type Segments = String;

    fn named(repository: String) -> Result<Self, ApiError> {
        Ok(Self::new(repository)?)
    }
}

impl Named for (RepositoryName, BranchName) {
    type Segments = (String, String);

    fn named((repository, branch): (String, String)) -> Result<Self, ApiError> {
        Ok((RepositoryName::new(repository)?, BranchName::new(branch)?))
    }
}

impl Named for (RepositoryName, PullId) {
    type Segments = (String, String);

    fn named((repository, id): (String, String)) -> Result<Self, ApiError> {
        Ok((RepositoryName::new(repository)?, id.parse::<PullId>()?))
    }
}
