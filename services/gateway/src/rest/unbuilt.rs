//! What this API has elsewhere and not here. It is said, where an empty answer would be taken for one.

use axum::Router;
use axum::routing::any;

use super::App;
use super::error::ApiError;

/// Paths whose every method answers `501 Not Implemented`.
const PATHS: &[&str] = &[
    "/auth/external/principal/login",
    "/sts/login",
    "/oidc/callback",
    "/auth/groups",
    "/auth/groups/{*rest}",
    "/auth/policies",
    "/auth/policies/{*rest}",
    "/auth/users/{user}/groups",
    "/auth/users/{user}/policies",
    "/auth/users/{user}/policies/{policy}",
    "/auth/users/{user}/external/principals",
    "/auth/users/{user}/external/principals/ls",
    "/auth/external/principals",
    "/repositories/{repository}/actions/{*rest}",
    "/repositories/{repository}/gc/prepare_commits",
    "/repositories/{repository}/gc/prepare_commits/{*rest}",
    "/repositories/{repository}/gc/prepare_uncommited",
    "/repositories/{repository}/refs/{ref}/symlink",
    "/repositories/{repository}/commits",
];

pub(crate) fn routes() -> Router<App> {
    PATHS.iter().fold(Router::new(), |router, path| router.route(path, any(answer)))
}

async fn answer() -> ApiError {
    ApiError::not_implemented()
}
