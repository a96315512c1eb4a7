//! What callers are told of the installation.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::openapi::Reading;

/// What clients that speak this API take as its version; the newest whose behaviour is followed.
pub(crate) const API_VERSION: &str = "1.84.0";

/// How long objects that nothing refers to are kept at least, in seconds.
const GRACE_SECONDS: u64 = 24 * 3600;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(config))
        .routes(routes!(version_config))
        .routes(routes!(storage_config))
        .routes(routes!(collection_config))
}

/// The server and its storage.
#[utoipa::path(
    get, path = "/config", operation_id = "getConfig",
    responses((status = 200, body = Config), Reading),
)]
async fn config(State(app): State<App>) -> Json<Config> {
    Json(Config {
        version_config: version(&app),
        storage_config: storage(&app),
        storage_config_list: [],
        ui_config: Empty {},
        capabilities_config: Empty {},
    })
}

/// The server.
#[utoipa::path(
    get, path = "/config/version", operation_id = "getVersionConfig",
    responses((status = 200, body = Version), Reading),
)]
async fn version_config(State(app): State<App>) -> Json<Version> {
    Json(version(&app))
}

/// Its storage.
#[utoipa::path(
    get, path = "/config/storage", operation_id = "getStorageConfig",
    responses((status = 200, body = Storage), Reading),
)]
async fn storage_config(State(app): State<App>) -> Json<Storage> {
    Json(storage(&app))
}

/// How long unused objects are kept at least.
#[utoipa::path(
    get, path = "/config/garbage-collection", operation_id = "getGarbageCollectionConfig",
    responses((status = 200, body = Collection), Reading),
)]
async fn collection_config() -> Json<Collection> {
    Json(Collection { grace_period: GRACE_SECONDS })
}

#[derive(Serialize, ToSchema)]
struct Config {
    version_config: Version,
    storage_config: Storage,
    #[schema(value_type = Vec<Storage>)]
    storage_config_list: [Storage; 0],
    ui_config: Empty,
    capabilities_config: Empty,
}

#[derive(Serialize, ToSchema)]
#[schema(as = EmptyConfig)]
struct Empty {}

#[derive(Serialize, ToSchema)]
#[schema(as = VersionConfig)]
struct Version {
    version: &'static str,
    version_context: &'static str,
    upgrade_recommended: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = StorageConfig)]
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

#[derive(Serialize, ToSchema)]
#[schema(as = GarbageCollectionConfig)]
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
