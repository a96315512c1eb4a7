//! What can be set of a repository: metadata, protected branches, how long commits are kept.

use std::collections::BTreeMap;

use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use braid_client::{
    BranchProtection, BranchRetention, Retention, SetBranchProtection, UpdateRepositoryMetadata,
};
use braid_types::{BranchName, RepositoryName};
use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::ApiError;
use super::route::Names;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route(
            "/repositories/{repository}/metadata",
            get(metadata).post(set_metadata).delete(delete_metadata),
        )
        .route(
            "/repositories/{repository}/settings/gc_rules",
            get(retention).put(set_retention).delete(delete_retention),
        )
        .route(
            "/repositories/{repository}/gc/rules",
            get(retention).post(set_retention).delete(delete_retention),
        )
        .route("/repositories/{repository}/gc/rules/set_allowed", get(allowed))
        .route("/repositories/{repository}/settings/branch_protection", get(protection).put(set_protection))
        .route(
            "/repositories/{repository}/branch_protection",
            get(protection).post(add_protection).delete(remove_protection),
        )
        .route("/repositories/{repository}/branch_protection/set_allowed", get(allowed))
}

async fn metadata(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
) -> Result<Json<BTreeMap<String, String>>, ApiError> {
    Ok(Json(caller.client.get_repository_metadata(&repository).await?))
}

#[derive(Deserialize)]
struct MetadataSet {
    metadata: BTreeMap<String, String>,
}

async fn set_metadata(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<MetadataSet>,
) -> Result<StatusCode, ApiError> {
    update(&caller, UpdateRepositoryMetadata { repository, set: asked.metadata, remove: Vec::new() }).await
}

#[derive(Deserialize)]
struct MetadataKeys {
    keys: Vec<String>,
}

async fn delete_metadata(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<MetadataKeys>,
) -> Result<StatusCode, ApiError> {
    update(&caller, UpdateRepositoryMetadata { repository, set: BTreeMap::new(), remove: asked.keys }).await
}

async fn update(caller: &Caller, request: UpdateRepositoryMetadata) -> Result<StatusCode, ApiError> {
    caller.client.update_repository_metadata(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, Deserialize)]
struct Rules {
    default_retention_days: u32,
    branches: Vec<Rule>,
}

#[derive(Serialize, Deserialize)]
struct Rule {
    branch_id: String,
    retention_days: u32,
}

async fn retention(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
) -> Result<Json<Rules>, ApiError> {
    let found = caller.client.get_retention(&repository).await?;
    let shown =
        |rule: BranchRetention| Rule { branch_id: rule.branch.to_string(), retention_days: rule.days };
    let branches = found.branches.into_iter().map(shown).collect();
    Ok(Json(Rules { default_retention_days: found.default_days, branches }))
}

async fn set_retention(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<Rules>,
) -> Result<StatusCode, ApiError> {
    let mut branches = Vec::with_capacity(asked.branches.len());
    for rule in asked.branches {
        branches
            .push(BranchRetention { branch: BranchName::new(rule.branch_id)?, days: rule.retention_days });
    }
    let retention = Retention { default_days: asked.default_retention_days, branches };
    caller.client.set_retention(&repository, retention).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_retention(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
) -> Result<StatusCode, ApiError> {
    caller.client.delete_retention(&repository).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whoever may call may set everything.
async fn allowed(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
) -> Result<StatusCode, ApiError> {
    caller.client.get_repository(&repository).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, Deserialize)]
struct Pattern {
    pattern: String,
}

async fn protection(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
) -> Result<Response, ApiError> {
    let found = caller.client.get_branch_protection(&repository).await?;
    let revision = found.revision.clone();
    let patterns: Vec<Pattern> = found.patterns.into_iter().map(|pattern| Pattern { pattern }).collect();
    Ok(([(ETAG, revision)], Json(patterns)).into_response())
}

async fn set_protection(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<Vec<Pattern>>,
) -> Result<StatusCode, ApiError> {
    let expected = headers.get(IF_MATCH).and_then(|value| value.to_str().ok());
    let request = SetBranchProtection {
        repository,
        patterns: asked.into_iter().map(|rule| rule.pattern).collect(),
        if_revision: expected
            .map(|value| value.trim_matches('"').to_owned())
            .filter(|value| !value.is_empty()),
    };
    set(&caller, request).await
}

async fn add_protection(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<Pattern>,
) -> Result<StatusCode, ApiError> {
    let add = |patterns: &mut Vec<String>| {
        if patterns.contains(&asked.pattern) {
            return Err(ApiError::new(StatusCode::CONFLICT, "rule already exists"));
        }
        patterns.push(asked.pattern);
        Ok(())
    };
    change_protection(&caller, repository, add).await
}

async fn remove_protection(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<Pattern>,
) -> Result<StatusCode, ApiError> {
    let remove = |patterns: &mut Vec<String>| {
        let before = patterns.len();
        patterns.retain(|pattern| *pattern != asked.pattern);
        match patterns.len() < before {
            true => Ok(()),
            false => Err(ApiError::new(StatusCode::NOT_FOUND, "rule not found")),
        }
    };
    change_protection(&caller, repository, remove).await
}

/// Changes the rules, if nobody else did so in between.
async fn change_protection(
    caller: &Caller,
    repository: RepositoryName,
    change: impl FnOnce(&mut Vec<String>) -> Result<(), ApiError>,
) -> Result<StatusCode, ApiError> {
    let BranchProtection { mut patterns, revision } =
        caller.client.get_branch_protection(&repository).await?;
    change(&mut patterns)?;
    set(caller, SetBranchProtection { repository, patterns, if_revision: Some(revision) }).await
}

async fn set(caller: &Caller, request: SetBranchProtection) -> Result<StatusCode, ApiError> {
    let set = caller.client.set_branch_protection(request).await;
    set.map_err(|error| match error.code() {
        braid_types::Code::PreconditionFailed => {
            ApiError::new(StatusCode::PRECONDITION_FAILED, "Precondition failed")
        }
        _ => error.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}
