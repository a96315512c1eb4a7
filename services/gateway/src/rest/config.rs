//! What callers are told of the installation.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::App;

/// What clients that speak this API take as its version; the newest whose behaviour is followed.
const API_VERSION: &str = "1.84.0";

/// How long objects that nothing refers to are kept at least, in seconds.
const GRACE_SECONDS: u64 = 24 * 3600;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/config", get(config))
        .route("/config/version", get(async |State(app): State<App>| Json(version(&app))))
        .route("/config/storage", get(async |State(app): State<App>| Json(storage(&app))))
        .route("/config/garbage-collection", get(async || Json(Collection { grace_period: GRACE_SECONDS })))
}

async fn config(State(app): State<App>) -> Json<Config> {
    Json(Config {
        version_config: version(&app),
        storage_config: storage(&app),
        storage_config_list: [],
        ui_config: Empty {},
        capabilities_config: Empty {},
    })
}

#[derive(Serialize)]
struct Config {
    version_config: Version,
    storage_config: Storage,
    storage_config_list: [Storage; 0],
    ui_config: Empty,
    capabilities_config: Empty,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Version {
    version: &'static str,
    version_context: &'static str,
    upgrade_recommended: bool,
}

#[derive(Serialize)]
struct Storage {
    blockstore_type: &'static str,
    blockstore_namespace_example: String,
    #[serde(rename = "blockstore_namespace_ValidityRegex")]
    blockstore_namespace_validity_regex: &'static str,
    default_namespace_prefix: String,
    pre_sign_support: bool,
    pre_sign_support_ui: bool,
    import_support: bool,
    import_validity_regex: &'static str,
    pre_sign_multipart_upload: bool,
    blockstore_description: String,
    blockstore_id: &'static str,
}

#[derive(Serialize)]
struct Collection {
    grace_period: u64,
}

/// lakeFS's command line warns of every other context.
fn version(_: &App) -> Version {
    Version { version: API_VERSION, version_context: "lakeFS", upgrade_recommended: false }
}

fn storage(app: &App) -> Storage {
    let settings = &app.settings;
    let local = settings.is_local();
    Storage {
        blockstore_type: if local { "local" } else { "s3" },
        blockstore_namespace_example: format!("{}example", settings.default_storage_prefix),
        blockstore_namespace_validity_regex: if local { "^(s3|local)://" } else { "^s3://" },
        default_namespace_prefix: settings.default_storage_prefix.clone(),
        pre_sign_support: true,
        pre_sign_support_ui: true,
        import_support: true,
        import_validity_regex: if local { "^(s3|local)://" } else { "^s3://" },
        pre_sign_multipart_upload: true,
        blockstore_description: format!("Braid {}", settings.version),
        blockstore_id: "",
    }
}
