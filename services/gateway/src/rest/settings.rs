//! What can be set of a repository: metadata, protected branches, how long commits are kept.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use braid_client::{
    BranchProtection, BranchRetention, Retention, SetBranchProtection, UpdateRepositoryMetadata,
};
use braid_types::{BranchName, RepositoryName};
use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::ApiError;
use super::openapi::{Reading, Writing, again};
use super::route::Names;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(metadata, set_metadata, delete_metadata))
        .routes(routes!(retention, set_retention, delete_retention))
        .routes(again(
            "/repositories/{repository}/gc/rules",
            &[
                ("getGCRules", "internalGetGarbageCollectionRules"),
                ("deleteGCRules", "internalDeleteGarbageCollectionRules"),
            ],
            routes!(retention, delete_retention),
        ))
        .routes(routes!(post_retention))
        .routes(routes!(allowed))
        .routes(routes!(protection, set_protection))
        .routes(again(
            "/repositories/{repository}/branch_protection",
            &[("getBranchProtectionRules", "internalGetBranchProtectionRules")],
            routes!(protection),
        ))
        .routes(routes!(add_protection, remove_protection))
        .routes(again(
            "/repositories/{repository}/branch_protection/set_allowed",
            &[("setGarbageCollectionRulesPreflight", "createBranchProtectionRulePreflight")],
            routes!(allowed),
        ))
}

/// A repository's metadata.
#[utoipa::path(
    get, path = "/repositories/{repository}/metadata", operation_id = "getRepositoryMetadata",
    responses((status = 200, body = BTreeMap<String, String>), Reading),
)]
async fn metadata(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
) -> Result<Json<BTreeMap<String, String>>, ApiError> {
    Ok(Json(caller.client.get_repository_metadata(&repository).await?))
}

#[derive(Deserialize, ToSchema)]
struct RepositoryMetadataSet {
    metadata: BTreeMap<String, String>,
}

/// Set some keys.
#[utoipa::path(
    post, path = "/repositories/{repository}/metadata", operation_id = "setRepositoryMetadata",
    request_body = RepositoryMetadataSet, responses((status = 204), Writing),
)]
async fn set_metadata(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<RepositoryMetadataSet>,
) -> Result<StatusCode, ApiError> {
    update(&caller, UpdateRepositoryMetadata { repository, set: asked.metadata, remove: Vec::new() }).await
}

#[derive(Deserialize, ToSchema)]
struct RepositoryMetadataKeys {
    keys: Vec<String>,
}

/// Remove some keys.
#[utoipa::path(
    delete, path = "/repositories/{repository}/metadata", operation_id = "deleteRepositoryMetadata",
    request_body = RepositoryMetadataKeys, responses((status = 204), Writing),
)]
async fn delete_metadata(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
    JsonBody(asked): JsonBody<RepositoryMetadataKeys>,
) -> Result<StatusCode, ApiError> {
    update(&caller, UpdateRepositoryMetadata { repository, set: BTreeMap::new(), remove: asked.keys }).await
}

async fn update(caller: &Caller, request: UpdateRepositoryMetadata) -> Result<StatusCode, ApiError> {
    caller.client.update_repository_metadata(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = GarbageCollectionRules)]
struct Rules {
    default_retention_days: u32,
    branches: Vec<Rule>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = GarbageCollectionRule)]
struct Rule {
    branch_id: String,
    retention_days: u32,
}

/// Retention rules.
#[utoipa::path(
    get, path = "/repositories/{repository}/settings/gc_rules", operation_id = "getGCRules",
    responses((status = 200, body = Rules), Reading),
)]
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

/// Replace the retention rules.
#[utoipa::path(
    put, path = "/repositories/{repository}/settings/gc_rules", operation_id = "setGCRules",
    request_body = Rules, responses((status = 204), Writing),
)]
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

/// Replace the retention rules.
#[utoipa::path(
    post, path = "/repositories/{repository}/gc/rules", operation_id = "internalSetGarbageCollectionRules",
    request_body = Rules, responses((status = 204), Writing),
)]
async fn post_retention(
    caller: Extension<Caller>,
    repository: Names<RepositoryName>,
    rules: JsonBody<Rules>,
) -> Result<StatusCode, ApiError> {
    set_retention(caller, repository, rules).await
}

/// Forget the retention rules.
#[utoipa::path(
    delete, path = "/repositories/{repository}/settings/gc_rules", operation_id = "deleteGCRules",
    responses((status = 204), Writing),
)]
async fn delete_retention(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
) -> Result<StatusCode, ApiError> {
    caller.client.delete_retention(&repository).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether rules may be set: whoever may call may set everything.
#[utoipa::path(
    get, path = "/repositories/{repository}/gc/rules/set_allowed",
    operation_id = "setGarbageCollectionRulesPreflight",
    responses((status = 204), Reading),
)]
async fn allowed(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
) -> Result<StatusCode, ApiError> {
    caller.client.get_repository(&repository).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = BranchProtectionRule)]
struct Pattern {
    pattern: String,
}

/// Protected branches.
#[utoipa::path(
    get, path = "/repositories/{repository}/settings/branch_protection",
    operation_id = "getBranchProtectionRules",
    responses((status = 200, body = Vec<Pattern>), Reading),
)]
async fn protection(
    Extension(caller): Extension<Caller>,
    Names(repository): Names<RepositoryName>,
) -> Result<Response, ApiError> {
    let found = caller.client.get_branch_protection(&repository).await?;
    let revision = found.revision.clone();
    let patterns: Vec<Pattern> = found.patterns.into_iter().map(|pattern| Pattern { pattern }).collect();
    Ok(([(ETAG, revision)], Json(patterns)).into_response())
}

/// Replace the rules.
#[utoipa::path(
    put, path = "/repositories/{repository}/settings/branch_protection",
    operation_id = "setBranchProtectionRules",
    params(("If-Match" = Option<String>, Header, nullable = false)), request_body = Vec<Pattern>,
    responses((status = 204), Writing, (status = 412)),
)]
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

/// Add a rule.
#[utoipa::path(
    post, path = "/repositories/{repository}/branch_protection",
    operation_id = "internalCreateBranchProtectionRule",
    request_body = Pattern, responses((status = 204), Writing, (status = 409), (status = 412)),
)]
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

/// Remove a rule.
#[utoipa::path(
    delete, path = "/repositories/{repository}/branch_protection",
    operation_id = "internalDeleteBranchProtectionRule",
    request_body = Pattern, responses((status = 204), Writing, (status = 412)),
)]
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
