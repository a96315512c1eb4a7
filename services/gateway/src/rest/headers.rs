//! What every answer carries.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::{HeaderName, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};

use super::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names the request, by the caller's name for it if there is one, and keeps browsers from misreading the answer.
pub(crate) async fn common(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = request.headers().get(REQUEST_ID).cloned().unwrap_or_else(|| fresh_id(&app));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}

fn fresh_id(app: &App) -> HeaderValue {
    let id = hex::encode(app.parts.random.bytes::<16>());
    HeaderValue::from_str(&id).expect("digits may stand in a header")
}
