//! Bodies in JSON.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// A body in JSON, whatever its `Content-Type` says: not all clients say it.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T, S> FromRequest<S> for JsonBody<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| ApiError::new(error.status(), error.body_text()))?;
        parse(&bytes).map(Self)
    }
}

/// A body in JSON that may be left out, or be null.
pub(crate) fn optional<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() {
        return Ok(T::default());
    }
    parse::<Option<T>>(bytes).map(Option::unwrap_or_default)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes)
        .map_err(|error| ApiError::bad_request(format!("the body is not what it must be: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_left_out_may_be_null() {
        for nothing in ["", "null"] {
            assert_eq!(optional::<u32>(nothing.as_bytes()).unwrap(), 0, "{nothing}");
        }
        assert_eq!(optional::<u32>(b"7").unwrap(), 7);
        assert_eq!(optional::<u32>(b"{").unwrap_err().status(), 400);
    }
}
