//! The files of committed trees.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use braid_objects::PresignGetOptions;
use braid_types::{Code, Error, RepositoryName};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::openapi::{Data, Reading, again};
use super::query::Query;
use super::route::Segments;
use crate::data::{Place, URL_LIFETIME};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(file)).routes(routes!(location)).routes(again(
        "/repositories/{repository}/metadata/range/{id}",
        &[("getMetaRange", "getRange")],
        routes!(location),
    ))
}

#[derive(Serialize, ToSchema)]
#[schema(as = StorageURI)]
struct StorageUri {
    location: String,
}

/// Where a file of a tree is.
#[utoipa::path(
    get, path = "/repositories/{repository}/metadata/meta_range/{id}", operation_id = "getMetaRange",
    responses((status = 200, body = StorageUri), Reading),
)]
async fn location(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments((repository, id)): Segments<(String, String)>,
) -> Result<Json<StorageUri>, ApiError> {
    let location = address(&caller, repository, &id).await?;
    let place = Place::at(&*app.parts.stores, &location)?;
    place.store.head(&place.key).await.map_err(|error| missing(&id, &error.about(&id)))?;
    Ok(Json(StorageUri { location }))
}

/// A file of a tree.
#[utoipa::path(
    get, path = "/repositories/{repository}/metadata/object/{type}/{id}",
    operation_id = "getMetadataObject",
    params(("presign" = Option<bool>, Query)),
    responses((status = 200, body = inline(Data), content_type = "application/octet-stream"), (status = 302), Reading),
)]
async fn file(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments((repository, kind, id)): Segments<(String, String, String)>,
    query: Query,
) -> Result<Response, ApiError> {
    if !["range", "meta_range"].contains(&kind.as_str()) {
        return Err(ApiError::bad_request(format!("'{kind}' is not 'range' or 'meta_range'")));
    }
    let place = Place::at(&*app.parts.stores, &address(&caller, repository, &id).await?)?;
    if query.flag("presign")? {
        let signed = place.store.presign_get(&place.key, URL_LIFETIME, PresignGetOptions::default()).await;
        let url = signed.map_err(|error| error.about(&id))?.url;
        return Ok((StatusCode::FOUND, [(LOCATION, url)]).into_response());
    }
    let reading = place.read(None, &id).await.map_err(|error| missing(&id, &error))?;
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, reading.meta.size.to_string()),
    ];
    Ok((headers, Body::from_stream(reading.body)).into_response())
}

/// Where a tree's file is. Nothing but ids is looked for: other objects of the namespace are not for everybody.
async fn address(caller: &Caller, repository: String, id: &str) -> Result<String, ApiError> {
    let repository = caller.client.get_repository(&RepositoryName::new(repository)?).await?;
    if id.len() != 64 || !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(ApiError::new(StatusCode::NOT_FOUND, format!("'{id}' not found")));
    }
    Ok(format!("{}/_lakefs/{id}", repository.storage_namespace.trim_end_matches('/')))
}

fn missing(id: &str, error: &Error) -> ApiError {
    match error.code() {
        Code::DataNotFound => ApiError::new(StatusCode::NOT_FOUND, format!("'{id}' not found")),
        _ => error.clone().into(),
    }
}
