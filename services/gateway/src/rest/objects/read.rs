//! Reading an object's data.

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use braid_client::Object;
use braid_types::ObjectPath;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::range::{Asked, asked};
use crate::rest::App;
use crate::rest::caller::Caller;
use crate::rest::error::ApiError;
use crate::rest::names::{ObjectAt, PathQuery};
use crate::rest::openapi::{Data, Reading};
use crate::rest::query::Query;
use crate::rest::route::Segments;
use crate::rest::view::content_type;
use crate::stored::Stored;

/// An object's data.
#[utoipa::path(
    get, path = "/repositories/{repository}/refs/{ref}/objects", operation_id = "getObject",
    params(PathQuery, ("presign" = Option<bool>, Query),
        ("Range" = Option<String>, Header, nullable = false),
        ("If-None-Match" = Option<String>, Header, nullable = false)),
    responses((status = 200, body = inline(Data), content_type = "*/*"),
        (status = 206, body = inline(Data), content_type = "*/*"),
        (status = 302), (status = 304), Reading, (status = 410), (status = 416),),
)]
pub(crate) async fn read(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let at = ObjectAt::new(segments, &query)?;
    if query.flag("presign")? {
        let download = caller.client.get_download_url(&at.repository, &at.reference, &at.path).await?;
        return Ok((StatusCode::FOUND, [(LOCATION, download.url)]).into_response());
    }
    let object = caller.client.stat_object(&at.repository, &at.reference, &at.path).await?;
    let answer = Answer::to(object, &headers);
    if answer.status == StatusCode::RANGE_NOT_SATISFIABLE {
        let refusal = ApiError::new(answer.status, "the range asked for is not in the object");
        return Ok((answer.headers(), refusal).into_response());
    }
    let body = match answer.part {
        Some(_) if answer.has_body() => answer.body(&app).await?,
        _ => Body::empty(),
    };
    Ok((answer.status, answer.headers(), body).into_response())
}

/// The headers of the same; nothing is read.
#[utoipa::path(
    head, path = "/repositories/{repository}/refs/{ref}/objects", operation_id = "headObject",
    params(PathQuery, ("Range" = Option<String>, Header, nullable = false)),
    responses((status = 200), (status = 206), (status = 304), Reading, (status = 410), (status = 416)),
)]
pub(crate) async fn head(
    Extension(caller): Extension<Caller>,
    Segments(segments): Segments<(String, String)>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let refused = |error: ApiError| error.status();
    let at = ObjectAt::new(segments, &query).map_err(refused)?;
    let object = caller.client.stat_object(&at.repository, &at.reference, &at.path).await;
    let answer = Answer::to(object.map_err(|error| refused(error.into()))?, &headers);
    Ok((answer.status, answer.headers()).into_response())
}

/// What an object is answered with.
struct Answer {
    object: Object,
    status: StatusCode,
    /// The bytes of the answer; none if it has no body for lack of need or of bytes.
    part: Option<std::ops::Range<u64>>,
}

impl Answer {
    /// Decides by the request's headers.
    fn to(object: Object, headers: &HeaderMap) -> Self {
        let size = object.entry.size;
        if headers.get(IF_NONE_MATCH).is_some_and(|tag| *tag == etag(&object)) {
            return Self { object, status: StatusCode::NOT_MODIFIED, part: None };
        }
        let (status, part) = match asked(headers) {
            Asked::All => (StatusCode::OK, Some(0..size)),
            Asked::Part(range) => match range.within(size) {
                Some(part) => (StatusCode::PARTIAL_CONTENT, Some(part)),
                None => (StatusCode::RANGE_NOT_SATISFIABLE, None),
            },
            Asked::Unanswerable => (StatusCode::RANGE_NOT_SATISFIABLE, None),
        };
        Self { object, status, part }
    }

    fn has_body(&self) -> bool {
        self.part.as_ref().is_some_and(|part| !part.is_empty())
    }

    async fn body(&self, app: &App) -> Result<Body, ApiError> {
        let part = self.part.clone().filter(|_| self.status == StatusCode::PARTIAL_CONTENT);
        let body = Stored::of(&*app.parts.stores, &self.object)?.read(part).await;
        Ok(Body::from_stream(body.map_err(|error| error.about(self.object.path.as_str()))?))
    }

    fn headers(&self) -> HeaderMap {
        let entry = &self.object.entry;
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: Option<HeaderValue>| {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        };
        let text = |value: String| HeaderValue::from_str(&value).ok();
        let kind = text(content_type(entry.content_type.clone()));
        set(ETAG, Some(etag(&self.object)));
        set(LAST_MODIFIED, text(http_date(entry.mtime.seconds)));
        set(ACCEPT_RANGES, Some(HeaderValue::from_static("bytes")));
        set(CACHE_CONTROL, Some(HeaderValue::from_static("no-store, must-revalidate, no-cache, max-age=0")));
        match &self.part {
            Some(part) => {
                set(CONTENT_TYPE, kind);
                set(CONTENT_LENGTH, Some((part.end - part.start).into()));
                set(CONTENT_DISPOSITION, text(disposition(&self.object.path)));
                if self.status == StatusCode::PARTIAL_CONTENT {
                    let range = format!("bytes {}-{}/{}", part.start, part.end - 1, entry.size);
                    set(CONTENT_RANGE, text(range));
                }
            }
            None if self.status == StatusCode::RANGE_NOT_SATISFIABLE => {
                set(CONTENT_RANGE, text(format!("bytes */{}", entry.size)));
            }
            None => {}
        }
        headers
    }
}

fn etag(object: &Object) -> HeaderValue {
    let unfit = || HeaderValue::from_static("\"\"");
    HeaderValue::from_str(&format!("\"{}\"", object.entry.checksum)).unwrap_or_else(|_| unfit())
}

/// Names the file that a browser saves the object as.
fn disposition(path: &ObjectPath) -> String {
    let name = path.as_str().rsplit('/').find(|part| !part.is_empty()).unwrap_or("object");
    format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

fn http_date(seconds: i64) -> String {
    let since = u64::try_from(seconds).unwrap_or_default();
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(since))
}
