//! Users and their access keys.

use axum::Json;
use axum::extract::Extension;
use braid_client::{ListAccessKeys, ListUsers, User};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::ApiError;
use super::openapi::Reading;
use super::query::{PageQuery, Query};
use super::route::Segments;
use super::view::{KeyList, KeyView, Listed, NewKeyView};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(current))
        .routes(routes!(list, create))
        .routes(routes!(one, delete))
        .routes(routes!(list_keys, create_key))
        .routes(routes!(one_key, delete_key))
}

#[derive(Serialize, ToSchema)]
#[schema(as = User)]
struct UserView {
    id: String,
    creation_date: i64,
    friendly_name: String,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self { friendly_name: user.name.clone(), id: user.name, creation_date: user.created_at.seconds }
    }
}

type UserList = Listed<UserView>;

#[derive(Serialize, ToSchema)]
struct CurrentUser {
    user: UserView,
}

/// Who calls.
///
/// A user who was deleted while their key is still taken is told so.
#[utoipa::path(
    get, path = "/user", operation_id = "getCurrentUser",
    responses((status = 200, body = CurrentUser), Reading),
)]
async fn current(Extension(caller): Extension<Caller>) -> Result<Json<CurrentUser>, ApiError> {
    let user = caller.client.get_user(&caller.principal.user).await?.into();
    Ok(Json(CurrentUser { user }))
}

/// Users by name.
#[utoipa::path(
    get, path = "/auth/users", operation_id = "listUsers",
    params(PageQuery), responses((status = 200, body = UserList), Reading),
)]
async fn list(Extension(caller): Extension<Caller>, query: Query) -> Result<Json<UserList>, ApiError> {
    let PageQuery { prefix, after, amount } = query.page()?;
    let request = ListUsers { prefix, after: after.unwrap_or_default(), page_size: Some(amount) };
    let found = caller.client.list_users(request).await?;
    let users = found.users.into_iter().map(UserView::from).collect();
    Ok(Json(Listed::new(users, found.more, |user: &UserView| user.id.clone())))
}

#[derive(Deserialize, ToSchema)]
struct UserCreation {
    id: String,
}

/// Make a user.
#[utoipa::path(
    post, path = "/auth/users", operation_id = "createUser",
    request_body = UserCreation, responses((status = 201, body = UserView), (status = 400), (status = 409)),
)]
async fn create(
    Extension(caller): Extension<Caller>,
    JsonBody(asked): JsonBody<UserCreation>,
) -> Result<(StatusCode, Json<UserView>), ApiError> {
    Ok((StatusCode::CREATED, Json(caller.client.create_user(&asked.id).await?.into())))
}

/// One user.
#[utoipa::path(
    get, path = "/auth/users/{user}", operation_id = "getUser",
    responses((status = 200, body = UserView), Reading),
)]
async fn one(
    Extension(caller): Extension<Caller>,
    Segments(user): Segments<String>,
) -> Result<Json<UserView>, ApiError> {
    Ok(Json(caller.client.get_user(&user).await?.into()))
}

/// Delete a user and their keys.
#[utoipa::path(
    delete, path = "/auth/users/{user}", operation_id = "deleteUser",
    responses((status = 204), Reading),
)]
async fn delete(
    Extension(caller): Extension<Caller>,
    Segments(user): Segments<String>,
) -> Result<StatusCode, ApiError> {
    caller.client.delete_user(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user's keys by id.
#[utoipa::path(
    get, path = "/auth/users/{user}/credentials", operation_id = "listUserCredentials",
    params(PageQuery), responses((status = 200, body = KeyList), Reading),
)]
async fn list_keys(
    Extension(caller): Extension<Caller>,
    Segments(user): Segments<String>,
    query: Query,
) -> Result<Json<KeyList>, ApiError> {
    let PageQuery { prefix, after, amount } = query.page()?;
    let request = ListAccessKeys { user, prefix, after: after.unwrap_or_default(), page_size: Some(amount) };
    let found = caller.client.list_access_keys(request).await?;
    let keys = found.keys.into_iter().map(KeyView::from).collect();
    Ok(Json(Listed::new(keys, found.more, |key: &KeyView| key.access_key_id.clone())))
}

/// Make a key; its secret is told only now.
#[utoipa::path(
    post, path = "/auth/users/{user}/credentials", operation_id = "createCredentials",
    responses((status = 201, body = NewKeyView), Reading),
)]
async fn create_key(
    Extension(caller): Extension<Caller>,
    Segments(user): Segments<String>,
) -> Result<(StatusCode, Json<NewKeyView>), ApiError> {
    Ok((StatusCode::CREATED, Json(caller.client.create_access_key(&user).await?.into())))
}

/// One key.
#[utoipa::path(
    get, path = "/auth/users/{user}/credentials/{key}", operation_id = "getCredentials",
    responses((status = 200, body = KeyView), Reading),
)]
async fn one_key(
    Extension(caller): Extension<Caller>,
    Segments((user, key)): Segments<(String, String)>,
) -> Result<Json<KeyView>, ApiError> {
    Ok(Json(caller.client.get_access_key(&user, &key).await?.into()))
}

/// Delete a key.
#[utoipa::path(
    delete, path = "/auth/users/{user}/credentials/{key}", operation_id = "deleteCredentials",
    responses((status = 204), Reading),
)]
async fn delete_key(
    Extension(caller): Extension<Caller>,
    Segments((user, key)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    caller.client.delete_access_key(&user, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
