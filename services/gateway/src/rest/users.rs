//! Users and their access keys.

use axum::extract::Extension;
use axum::routing::get;
use axum::{Json, Router};
use braid_client::{AccessKey, ListAccessKeys, ListUsers, NewAccessKey, User};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::App;
use super::body::JsonBody;
use super::caller::Caller;
use super::error::ApiError;
use super::query::Query;
use super::route::Segments;
use super::view::Listed;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/user", get(current))
        .route("/auth/users", get(list).post(create))
        .route("/auth/users/{user}", get(one).delete(delete))
        .route("/auth/users/{user}/credentials", get(list_keys).post(create_key))
        .route("/auth/users/{user}/credentials/{key}", get(one_key).delete(delete_key))
}

#[derive(Serialize)]
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

#[derive(Serialize)]
struct CurrentUser {
    user: UserView,
}

/// A user who was deleted while their key is still taken is told so.
async fn current(Extension(caller): Extension<Caller>) -> Result<Json<CurrentUser>, ApiError> {
    let user = caller.client.get_user(&caller.principal.user).await?.into();
    Ok(Json(CurrentUser { user }))
}

async fn list(
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Listed<UserView>>, ApiError> {
    let request = ListUsers {
        prefix: query.text("prefix")?.unwrap_or_default().to_owned(),
        after: query.text("after")?.unwrap_or_default().to_owned(),
        page_size: Some(query.amount()?),
    };
    let found = caller.client.list_users(request).await?;
    let users = found.users.into_iter().map(UserView::from).collect();
    Ok(Json(Listed::new(users, found.more, |user: &UserView| user.id.clone())))
}

#[derive(Deserialize)]
struct Creation {
    id: String,
}

async fn create(
    Extension(caller): Extension<Caller>,
    JsonBody(asked): JsonBody<Creation>,
) -> Result<(StatusCode, Json<UserView>), ApiError> {
    Ok((StatusCode::CREATED, Json(caller.client.create_user(&asked.id).await?.into())))
}

async fn one(
    Extension(caller): Extension<Caller>,
    Segments(user): Segments<String>,
) -> Result<Json<UserView>, ApiError> {
    Ok(Json(caller.client.get_user(&user).await?.into()))
}

async fn delete(
    Extension(caller): Extension<Caller>,
    Segments(user): Segments<String>,
) -> Result<StatusCode, ApiError> {
    caller.client.delete_user(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct KeyView {
    access_key_id: String,
    creation_date: i64,
}

impl From<AccessKey> for KeyView {
    fn from(key: AccessKey) -> Self {
        Self { access_key_id: key.id, creation_date: key.created_at.seconds }
    }
}

#[derive(Serialize)]
struct NewKeyView {
    #[serde(flatten)]
    key: KeyView,
    secret_access_key: String,
}

impl From<NewAccessKey> for NewKeyView {
    fn from(made: NewAccessKey) -> Self {
        Self { key: made.key.into(), secret_access_key: made.secret }
    }
}

async fn list_keys(
    Extension(caller): Extension<Caller>,
    Segments(user): Segments<String>,
    query: Query,
) -> Result<Json<Listed<KeyView>>, ApiError> {
    let request = ListAccessKeys {
        user,
        prefix: query.text("prefix")?.unwrap_or_default().to_owned(),
        after: query.text("after")?.unwrap_or_default().to_owned(),
        page_size: Some(query.amount()?),
    };
    let found = caller.client.list_access_keys(request).await?;
    let keys = found.keys.into_iter().map(KeyView::from).collect();
    Ok(Json(Listed::new(keys, found.more, |key: &KeyView| key.access_key_id.clone())))
}

async fn create_key(
    Extension(caller): Extension<Caller>,
    Segments(user): Segments<String>,
) -> Result<(StatusCode, Json<NewKeyView>), ApiError> {
    Ok((StatusCode::CREATED, Json(caller.client.create_access_key(&user).await?.into())))
}

async fn one_key(
    Extension(caller): Extension<Caller>,
    Segments((user, key)): Segments<(String, String)>,
) -> Result<Json<KeyView>, ApiError> {
    Ok(Json(caller.client.get_access_key(&user, &key).await?.into()))
}

async fn delete_key(
    Extension(caller): Extension<Caller>,
    Segments((user, key)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    caller.client.delete_access_key(&user, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
