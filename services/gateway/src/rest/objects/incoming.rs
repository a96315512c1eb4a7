//! The data of an upload: the body of a request, or a part of a form.

use std::io;

use axum::extract::Request;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::rest::error::ApiError;
use crate::rest::openapi::Data;

/// The part of a form that holds the data.
const FORM_FIELD: &str = "content";

/// Data to be written, and what was said of it.
pub(super) struct Incoming {
    pub(super) body: BoxStream<'static, io::Result<Bytes>>,
    /// In bytes, if it is known before the data is read.
    pub(super) length: Option<u64>,
    /// Empty if nothing was said of it.
    pub(super) content_type: String,
}

impl Incoming {
    /// What a request brings.
    pub(super) async fn of(request: Request) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let body = body.into_data_stream().map_err(io::Error::other).boxed();
        let content_type = text(&parts.headers, CONTENT_TYPE);
        match multer::parse_boundary(&content_type) {
            Ok(boundary) => Self::in_form(body, boundary).await,
            Err(_) => {
                let length = text(&parts.headers, CONTENT_LENGTH).parse().ok();
                Ok(Self { body, length, content_type })
            }
        }
    }

    /// The data of a form. The fields before it are passed by, those after it are not read.
    async fn in_form(
        body: BoxStream<'static, io::Result<Bytes>>,
        boundary: String,
    ) -> Result<Self, ApiError> {
        let malformed =
            |error: multer::Error| ApiError::bad_request(format!("the form cannot be read: {error}"));
        let mut form = multer::Multipart::new(body, boundary);
        while let Some(field) = form.next_field().await.map_err(malformed)? {
            if field.name() != Some(FORM_FIELD) {
                continue;
            }
            let content_type = field.content_type().map(ToString::to_string).unwrap_or_default();
            let body = field.map_err(io::Error::other).boxed();
            return Ok(Self { body, length: None, content_type });
        }
        Err(ApiError::bad_request(format!("the form has no field '{FORM_FIELD}'")))
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// A form with data, for descriptions.
pub(super) enum Form {}

impl PartialSchema for Form {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Object).property(FORM_FIELD, Data::schema()).into()
    }
}

impl ToSchema for Form {}
