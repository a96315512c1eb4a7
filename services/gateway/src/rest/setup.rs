//! Before there is a key, and in place of one: setting the installation up, and logging in.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use braid_auth::{AuthError, NewKey, Secret};
use braid_types::Error;
use http::StatusCode;
use http::header::SET_COOKIE;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::body::JsonBody;
use super::caller::SESSION_COOKIE;
use super::error::ApiError;
use super::view::NewKeyView;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(state, set_up))
        .routes(routes!(preferences))
        .routes(routes!(login))
        .routes(routes!(capabilities))
}

async fn is_set_up(app: &App) -> Result<bool, ApiError> {
    Ok(app.parts.keys.is_set_up().await.map_err(Error::from)?)
}

#[derive(Serialize, ToSchema)]
struct SetupState {
    state: Installation,
    comm_prefs_missing: bool,
    #[schema(value_type = Object)]
    login_config: Value,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Installation {
    Initialized,
    NotInitialized,
}

/// Whether the installation has its first key.
#[utoipa::path(
    get, path = "/setup_lakefs", operation_id = "getSetupState",
    responses((status = 200, body = SetupState)),
)]
async fn state(State(app): State<App>) -> Result<Json<SetupState>, ApiError> {
    let state = if is_set_up(&app).await? { Installation::Initialized } else { Installation::NotInitialized };
    Ok(Json(SetupState {
        state,
        comm_prefs_missing: false,
        login_config: json!({
            "RBAC": "none",
            "username_ui_placeholder": "Access Key ID",
            "password_ui_placeholder": "Secret Access Key",
            "login_url": "",
            "login_cookie_names": [SESSION_COOKIE],
            "logout_url": "/logout",
        }),
    }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = Setup)]
struct SetUp {
    username: String,
    key: Option<Key>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AccessKeyCredentials)]
struct Key {
    access_key_id: String,
    secret_access_key: String,
}

/// Make the first user and key.
#[utoipa::path(
    post, path = "/setup_lakefs", operation_id = "setup",
    request_body = SetUp, responses((status = 200, body = NewKeyView), (status = 400), (status = 409)),
)]
async fn set_up(
    State(app): State<App>,
    JsonBody(asked): JsonBody<SetUp>,
) -> Result<Json<NewKeyView>, ApiError> {
    let given =
        asked.key.map(|key| NewKey { id: key.access_key_id, secret: Secret::new(key.secret_access_key) });
    let made = app.parts.keys.set_up(&asked.username, given).await.map_err(|error| match error {
        AuthError::AlreadySetUp => ApiError::new(StatusCode::CONFLICT, "lakeFS already initialized"),
        other => Error::from(other).into(),
    })?;
    Ok(Json(NewKeyView {
        access_key_id: made.id,
        secret_access_key: made.secret.expose().to_owned(),
        creation_date: app.parts.clock.now().seconds,
    }))
}

/// Preferences, which nobody is asked for.
///
/// None are missing and none can be set.
#[utoipa::path(
    post, path = "/setup_comm_prefs", operation_id = "setupCommPrefs",
    responses((status = 204), (status = 409), (status = 412)),
)]
async fn preferences(State(app): State<App>) -> Result<StatusCode, ApiError> {
    if is_set_up(&app).await? {
        return Err(ApiError::new(StatusCode::CONFLICT, "the preferences are set already"));
    }
    Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "lakeFS is not initialized"))
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuthenticationToken)]
struct Token {
    token: String,
    token_expiration: i64,
}

/// A session for an access key.
#[utoipa::path(
    post, path = "/auth/login", operation_id = "login",
    request_body = Key, responses((status = 200, body = Token), (status = 400), (status = 401)),
)]
async fn login(State(app): State<App>, JsonBody(key): JsonBody<Key>) -> Result<Response, ApiError> {
    let session = app.parts.sessions.begin(&key.access_key_id, &key.secret_access_key).await;
    let session = session.map_err(Error::from)?;
    let age = session.expires.since(app.parts.clock.now()).as_secs();
    let cookie =
        format!("{SESSION_COOKIE}={}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict", session.token);
    let body = Token { token: session.token, token_expiration: session.expires.seconds };
    Ok(([(SET_COOKIE, cookie)], Json(body)).into_response())
}

#[derive(Serialize, ToSchema)]
struct AuthCapabilities {
    invite_user: bool,
    forgot_password: bool,
}

/// What the login page offers.
#[utoipa::path(
    get, path = "/auth/capabilities", operation_id = "getAuthCapabilities",
    responses((status = 200, body = AuthCapabilities)),
)]
async fn capabilities() -> Json<AuthCapabilities> {
    Json(AuthCapabilities { invite_user: false, forgot_password: false })
}
