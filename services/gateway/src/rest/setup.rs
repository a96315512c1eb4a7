//! Before there is a key, and in place of one: setting the installation up, and logging in.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use braid_auth::{AuthError, NewKey, Secret};
use braid_types::Error;
use http::StatusCode;
use http::header::SET_COOKIE;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::body::JsonBody;
use super::caller::SESSION_COOKIE;
use super::error::ApiError;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/setup_lakefs", get(state).post(set_up))
        .route("/setup_comm_prefs", post(preferences))
        .route("/auth/login", post(login))
        .route("/auth/capabilities", get(capabilities))
}

async fn is_set_up(app: &App) -> Result<bool, ApiError> {
    Ok(app.parts.keys.is_set_up().await.map_err(Error::from)?)
}

async fn state(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let state = if is_set_up(&app).await? { "initialized" } else { "not_initialized" };
    Ok(Json(json!({
        "state": state,
        "comm_prefs_missing": false,
        "login_config": {
            "RBAC": "none",
            "username_ui_placeholder": "Access Key ID",
            "password_ui_placeholder": "Secret Access Key",
            "login_url": "",
            "login_cookie_names": [SESSION_COOKIE],
            "logout_url": "/logout",
        },
    })))
}

#[derive(Deserialize)]
struct SetUp {
    username: String,
    key: Option<Key>,
}

#[derive(Deserialize)]
struct Key {
    access_key_id: String,
    secret_access_key: String,
}

#[derive(Serialize)]
struct FirstKey {
    access_key_id: String,
    secret_access_key: String,
    creation_date: i64,
}

async fn set_up(
    State(app): State<App>,
    JsonBody(asked): JsonBody<SetUp>,
) -> Result<Json<FirstKey>, ApiError> {
    let given =
        asked.key.map(|key| NewKey { id: key.access_key_id, secret: Secret::new(key.secret_access_key) });
    let made = app.parts.keys.set_up(&asked.username, given).await.map_err(|error| match error {
        AuthError::AlreadySetUp => ApiError::new(StatusCode::CONFLICT, "lakeFS already initialized"),
        other => Error::from(other).into(),
    })?;
    Ok(Json(FirstKey {
        access_key_id: made.id,
        secret_access_key: made.secret.expose().to_owned(),
        creation_date: app.parts.clock.now().seconds,
    }))
}

/// Nobody is asked for preferences, so none are missing and none can be set.
async fn preferences(State(app): State<App>) -> Result<StatusCode, ApiError> {
    if is_set_up(&app).await? {
        return Err(ApiError::new(StatusCode::CONFLICT, "the preferences are set already"));
    }
    Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "lakeFS is not initialized"))
}

#[derive(Serialize)]
struct Token {
    token: String,
    token_expiration: i64,
}

async fn login(State(app): State<App>, JsonBody(key): JsonBody<Key>) -> Result<Response, ApiError> {
    let session = app.parts.sessions.begin(&key.access_key_id, &key.secret_access_key).await;
    let session = session.map_err(Error::from)?;
    let age = session.expires.since(app.parts.clock.now()).as_secs();
    let cookie =
        format!("{SESSION_COOKIE}={}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict", session.token);
    let body = Token { token: session.token, token_expiration: session.expires.seconds };
    Ok(([(SET_COOKIE, cookie)], Json(body)).into_response())
}

async fn capabilities() -> Json<Value> {
    Json(json!({ "invite_user": false, "forgot_password": false }))
}
