//! Listing objects.

use axum::Json;
use axum::extract::{Extension, State};
use braid_client::{ListItem, ListObjects, Object};
use braid_objects::PresignGetOptions;
use braid_types::Time;
use futures::{StreamExt, TryStreamExt, stream};

use crate::data::{Place, URL_LIFETIME};
use crate::rest::App;
use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::gather::gather;
use crate::rest::names::{PathsQuery, ref_at};
use crate::rest::openapi::Reading;
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::rest::view::{Listed, ObjectList, ObjectStats, Shown};

/// How many URLs are made at once. Each costs a little work and no request.
const AT_ONCE: usize = 16;

/// Objects by path.
#[utoipa::path(
    get, path = "/repositories/{repository}/refs/{ref}/objects/ls", operation_id = "listObjects",
    params(PathsQuery, ("presign" = Option<bool>, Query), ("user_metadata" = Option<bool>, Query)),
    responses((status = 200, body = ObjectList), Reading),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
) -> Result<Json<ObjectList>, ApiError> {
    let (repository, reference) = ref_at(segments)?;
    let PathsQuery { prefix, after, amount, delimiter } = query.paths()?;
    let shown = Shown { metadata: query.flag_or("user_metadata", true)? };
    let presign = query.flag("presign")?;
    let request =
        ListObjects { repository, reference, prefix, delimiter, after, page_size: None, page_token: None };
    let page = |size, page_token| {
        let request = ListObjects { page_size: Some(size), page_token, ..request.clone() };
        let client = &caller.client;
        async move { client.list_objects(request).await }
    };
    let (items, more) = gather(amount, page).await?;
    let shown = stream::iter(items).map(|item| async {
        match item {
            ListItem::CommonPrefix(prefix) => Ok(ObjectStats::common_prefix(prefix.to_string())),
            ListItem::Object(object) if presign => presigned(&app, object, shown).await,
            ListItem::Object(object) => Ok(ObjectStats::of(object, shown)),
        }
    });
    let shown: Vec<ObjectStats> = shown.buffered(AT_ONCE).try_collect().await?;
    Ok(Json(Listed::new(shown, more, |item: &ObjectStats| item.path.clone())))
}

async fn presigned(app: &App, object: Object, shown: Shown) -> Result<ObjectStats, ApiError> {
    let place = Place::at(&*app.parts.stores, &object.entry.address)?;
    let kind = Some(object.entry.content_type.clone()).filter(|kind| !kind.is_empty());
    let options = PresignGetOptions { content_type: kind, download_name: None };
    let signed = place.store.presign_get(&place.key, URL_LIFETIME, options).await;
    let signed = signed.map_err(|error| error.about(object.path.as_str()))?;
    Ok(ObjectStats::of(object, shown).presigned(signed.url, Time::from_seconds(signed.expires_at)))
}
